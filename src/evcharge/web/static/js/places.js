// <input data-places="id of the hidden place" data-near="id of the hidden input">: names
// of towns, localities and pincodes while somebody types (a combobox as ARIA has it).
// Without scripts the page itself offers places for what was searched for.
const PAUSE_MS = 150;
const MOST = 6;
const SHORTEST = 2;

const input = document.querySelector("[data-places]");
const form = input.form;
const near = document.getElementById(input.dataset.near);
const place = document.getElementById(input.dataset.places);
const list = document.getElementById(input.getAttribute("aria-controls"));

let options = [];
let active = -1;
let timer = null;
let asked = 0;

const close = () => {
  list.hidden = true;
  active = -1;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
};

const mark = (index) => {
  active = index;
  [...list.children].forEach((option, each) => {
    option.setAttribute("aria-selected", String(each === index));
  });
  if (index < 0) input.removeAttribute("aria-activedescendant");
  else input.setAttribute("aria-activedescendant", list.children[index].id);
};

const choose = (option) => {
  near.value = `${option.lat.toFixed(4)},${option.lon.toFixed(4)}`;
  place.value = option.label;
  input.value = "";
  close();
  form.requestSubmit();
};

const show = (found) => {
  options = found;
  list.replaceChildren(
    ...found.map((option, index) => {
      const item = document.createElement("li");
      item.id = `${list.id}-${index}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      item.textContent = option.label;
      if (option.name_hindi) {
        const hindi = document.createElement("span");
        hindi.lang = "hi";
        hindi.textContent = option.name_hindi;
        item.append(" ", hindi);
      }
      // Before the field loses the focus, which closes the list.
      item.addEventListener("pointerdown", (event) => event.preventDefault());
      item.addEventListener("click", () => choose(option));
      return item;
    }),
  );
  active = -1;
  list.hidden = found.length === 0;
  input.setAttribute("aria-expanded", String(found.length > 0));
};

const ask = async () => {
  const text = input.value.trim();
  const own = ++asked;
  if (text.length < SHORTEST) {
    close();
    return;
  }
  try {
    const query = new URLSearchParams({ q: text.slice(0, 60), limit: MOST });
    const answer = await fetch(`/api/v1/places?${query}`);
    if (answer.ok && own === asked) show((await answer.json()).items);
  } catch {
    close(); // No network: the search itself still works, or says so.
  }
};

const MOVES = { ArrowDown: 1, ArrowUp: -1 };

input.addEventListener("input", () => {
  if (place.value) near.value = place.value = ""; // Another place is meant from here on.
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE_MS);
});
input.addEventListener("blur", close);
input.addEventListener("keydown", (event) => {
  if (list.hidden) return;
  if (event.key in MOVES) {
    event.preventDefault();
    const count = options.length + 1; // And the text itself, which is none of them.
    mark(((active + 1 + MOVES[event.key] + count) % count) - 1);
  } else if (event.key === "Enter" && active >= 0) {
    event.preventDefault();
    choose(options[active]);
  } else if (event.key === "Escape") {
    event.preventDefault();
    close();
  }
});
form.addEventListener("submit", () => {
  asked += 1;
  clearTimeout(timer);
  close();
});
