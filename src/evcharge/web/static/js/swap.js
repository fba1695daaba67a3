// Replaces a part of the page without the reader noticing more than what changed:
// keeps what was typed and chosen, focus, open details and scroll; fades what is new.

const CONTROLS = "input:not([type=hidden]), select, textarea";

// A control is known by its id, or by its name and, for choices, its value.
const keyOf = (control) => {
  if (control.id) return `#${control.id}`;
  const choice = control.type === "radio" || control.type === "checkbox";
  return choice ? `${control.name}=${control.value}` : control.name;
};

const remember = (part) => {
  const states = new Map();
  for (const control of part.querySelectorAll(CONTROLS)) {
    states.set(keyOf(control), { value: control.value, checked: control.checked });
  }
  return states;
};

// A choice that can no longer be made is dropped; the part says so to its page.
const restore = (part, states) => {
  const lost = [];
  for (const control of part.querySelectorAll(CONTROLS)) {
    const state = states.get(keyOf(control));
    if (state === undefined) continue;
    if (control.type === "radio" || control.type === "checkbox") {
      if (control.disabled) {
        if (state.checked) lost.push(control);
        control.checked = false;
      } else {
        control.checked = state.checked;
      }
    } else if (control.type !== "file") {
      control.value = state.value;
    }
  }
  return lost;
};

const focusable = (part) => [...part.querySelectorAll("a[href], button, summary")];

const focusKeeper = (part) => {
  const active = document.activeElement;
  if (!part.contains(active)) return () => {};
  const key = active.matches(CONTROLS) ? keyOf(active) : null;
  const place = focusable(part).indexOf(active);
  return () => {
    const found =
      key === null
        ? focusable(part)[place]
        : [...part.querySelectorAll(CONTROLS)].find((each) => keyOf(each) === key);
    found?.focus({ preventScroll: true });
  };
};

const watched = (part) => [...part.querySelectorAll("[data-watch]")];

const fade = (part, before) => {
  const after = watched(part);
  if (after.length !== before.length) return;
  after.forEach((element, index) => {
    if (element.textContent !== before[index]) element.classList.add("just-changed");
  });
};

export const swap = (part, html) => {
  if (part.lastHtml === html) return;
  part.lastHtml = html;
  const states = remember(part);
  const refocus = focusKeeper(part);
  const before = watched(part).map((element) => element.textContent);
  const opened = [...part.querySelectorAll("details")].map((each) => each.open);
  const { scrollX, scrollY } = window;

  part.innerHTML = html;

  part.querySelectorAll("details").forEach((each, index) => {
    each.open = opened[index] ?? each.open;
  });
  const lost = restore(part, states);
  refocus();
  fade(part, before);
  window.scrollTo(scrollX, scrollY);
  part.dispatchEvent(new CustomEvent("live:updated", { bubbles: true, detail: { lost } }));
};
