// Small comforts of forms and menus. Everything works without them.
document.documentElement.classList.add("js");

// One press, one request: the second press of a button does nothing. The button is
// disabled only after the browser has collected the form, so its value is sent.
document.addEventListener("submit", (event) => {
  const form = event.target;
  // Not form.method: an input of that name would hide it.
  const sends = form.getAttribute("method")?.toLowerCase() === "post";
  if (event.defaultPrevented || !sends) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  const button = event.submitter;
  setTimeout(() => {
    if (!button) return;
    button.disabled = true;
    button.dataset.busy = "yes";
    if (button.dataset.busyText) {
      button.dataset.restText = button.textContent;
      button.textContent = button.dataset.busyText;
    }
  });
});

// The back button may bring the page back as it was left.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
  }
  for (const button of document.querySelectorAll("button[data-busy]")) {
    button.disabled = false;
    delete button.dataset.busy;
    if (button.dataset.restText) button.textContent = button.dataset.restText;
  }
});

// <form data-autosubmit>: filters apply as they are chosen.
document.addEventListener("change", (event) => {
  event.target.form?.matches("[data-autosubmit]") && event.target.form.requestSubmit();
});

// <button data-show-password="id of the input" hidden>Show</button>
for (const button of document.querySelectorAll("[data-show-password]")) {
  const input = document.getElementById(button.dataset.showPassword);
  button.hidden = false;
  button.addEventListener("click", () => {
    const show = input.type === "password";
    input.type = show ? "text" : "password";
    button.textContent = show ? "Hide" : "Show";
    button.setAttribute("aria-pressed", String(show));
    input.focus();
  });
}

// <details data-menu>: closes like a menu.
const openMenus = () => document.querySelectorAll("details[data-menu][open]");
document.addEventListener("click", (event) => {
  for (const menu of openMenus()) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// After a refused form, start reading at what went wrong.
document.querySelector("[data-focus-first]")?.focus();
