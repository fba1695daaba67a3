// Stopping by holding: <a href="(asks first)" data-hold="id of the form that stops">.
// A tap, a key or a screen reader follows the link and confirms there. Listens on the
// document, because the button comes anew whenever its part of the page is refreshed.
const HOLD_MS = 1000; // As long as the button takes to fill (charging.css).

let held = null;

const letGo = () => {
  if (held === null) return;
  clearTimeout(held.timer);
  held.button.classList.remove("is-held");
  held = null;
};

const stop = (button) => {
  const form = document.getElementById(button.dataset.hold);
  button.firstElementChild.textContent = "Asking the charger…";
  form?.requestSubmit();
};

document.addEventListener("pointerdown", (event) => {
  const button = event.target.closest?.("[data-hold]");
  if (!button || event.button !== 0) return;
  letGo();
  button.classList.add("is-held");
  const timer = setTimeout(() => {
    const { button: current } = held;
    held.isDone = true;
    stop(current);
  }, HOLD_MS);
  held = { button, timer, isDone: false };
});

for (const end of ["pointerup", "pointercancel", "pagehide"]) {
  addEventListener(end, () => {
    if (held?.isDone) return; // The click that follows must not lead anywhere.
    letGo();
  });
}

document.addEventListener(
  "click",
  (event) => {
    if (!held?.isDone || !event.target.closest("[data-hold]")) return;
    event.preventDefault();
    letGo();
  },
  { capture: true },
);

// A long press on a link opens a menu on phones.
document.addEventListener("contextmenu", (event) => {
  if (event.target.closest?.("[data-hold]")) event.preventDefault();
});
