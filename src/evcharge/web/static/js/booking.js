// Choosing a time: the summary follows what is chosen, lengths and days change without
// a new page, and a slot that goes meanwhile says so. The server renders all words.
import { swap } from "./swap.js";

const part = document.querySelector("[data-times]");
const form = document.querySelector("[data-booking]");
const field = (name) => form.querySelector(`[data-${name}]`);
const button = form.querySelector("button[type=submit]");

const GONE = {
  taken: (time) => `Someone just booked ${time}. Choose another time.`,
  yours: (time) => `You have just booked ${time} yourself.`,
  blocked: (time) => `${time} was just closed by the operator. Choose another time.`,
};

const shown = () => part.querySelector("[data-shown]");
const chosen = () => part.querySelector("input[name=starts_at]:checked");
const startOf = (input) => input.dataset.range.split("–")[0];
const rendered = (name) =>
  part.querySelector(`template[data-${name}-now]`).content.textContent;

const say = (words) => {
  field("say").textContent = words;
};

// The clock where the driver is, when it is not the charger's.
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const here = (instant) => clock.format(new Date(instant));

const showBothZones = () => {
  const inputs = [...part.querySelectorAll("input[name=starts_at]")];
  const differs = inputs.some((input) => here(input.value) !== startOf(input));
  const note = part.querySelector("[data-viewer-note]");
  note.hidden = !differs;
  if (!differs) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone.replaceAll("_", " ");
  note.textContent = ` · small: your time (${zone})`;
  for (const input of inputs) {
    const small = document.createElement("small");
    small.textContent = here(input.value);
    input.nextElementSibling.append(small);
  }
};

const showViewerTime = (input) => {
  const line = field("viewer");
  const differs = input !== null && here(input.value) !== startOf(input);
  line.hidden = !differs;
  if (!differs) return;
  const end = Date.parse(input.value) + Number(shown().dataset.minutes) * 60_000;
  line.textContent = `${here(input.value)}–${here(end)} where you are`;
};

const summarise = () => {
  const input = chosen();
  // Under a tariff the price depends on the time; else it is the same for all.
  field("price").textContent = input?.dataset.price ?? rendered("price");
  field("amount").textContent = input?.dataset.amount ?? rendered("amount");
  const accept = field("accept");
  if (accept) accept.value = input?.dataset.accept ?? rendered("accept");
  field("length").value = shown().dataset.minutes;
  field("starts-at").value = input?.value ?? "";
  field("when").textContent = input?.dataset.when ?? rendered("when");
  field("terms").textContent = input?.dataset.terms ?? "";
  button.disabled = input === null;
  button.textContent = input
    ? form.dataset.label.replace("{}", input.dataset.range)
    : "Choose a start time";
  showViewerTime(input);
};

// The bar grows with what it says. It must not cover what was just chosen.
const keepInSight = () => {
  const label = chosen()?.closest("label").getBoundingClientRect();
  const bar = form.getBoundingClientRect();
  const isBelow = label && label.left < bar.right && label.right > bar.left;
  if (!isBelow || label.bottom <= bar.top) return;
  window.scrollBy({ top: label.bottom - bar.top + 12, behavior: "instant" });
};

// What was chosen before the part changed, so that we notice when it is gone.
let last = null;
const remember = () => {
  const input = chosen();
  last = input && { value: input.value, time: startOf(input) };
};

const explain = (asked) => {
  if (last === null || chosen()) {
    if (asked) say("");
    return;
  }
  const input = part.querySelector(`input[name=starts_at][value="${last.value}"]`);
  if (asked) {
    say(input ? `${last.time} is not free for that long. Choose another time.` : "");
  } else if (input) {
    input.nextElementSibling.classList.add("just-changed");
    say(GONE[input.dataset.gone](last.time));
  } else {
    say(`${last.time} has passed. Choose another time.`);
  }
};

const centre = (element) => {
  const row = element?.offsetParent && element.closest(".days, .segments-row");
  if (!row) return;
  const box = element.getBoundingClientRect();
  const frame = row.getBoundingClientRect();
  row.scrollLeft += box.left - frame.left - (frame.width - box.width) / 2;
};

const centreChoices = () => {
  centre(part.querySelector(".day[aria-current]"));
  centre(part.querySelector("input[name=minutes]:checked")?.closest("label"));
};

const afterChange = (asked) => {
  explain(asked);
  showBothZones();
  summarise();
  remember();
};

const isAsLiveUrlSays = () => {
  const wanted = new URL(part.dataset.liveUrl, location.href).searchParams;
  const { day, minutes } = shown().dataset;
  return wanted.get("day") === day && wanted.get("minutes") === minutes;
};

let asking = false;
const show = async (url) => {
  part.dataset.liveUrl = url.pathname + url.search;
  asking = true;
  const fragment = new URL(url);
  fragment.searchParams.set("fragment", "1");
  try {
    const answer = await fetch(fragment, { redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    swap(part, await answer.text());
    history.replaceState(null, "", url);
  } catch {
    location.assign(url); // Whatever it was, a whole page can say it better.
  }
};

part.addEventListener("live:updated", () => {
  // A refresh that was under way when somebody chose another day brings the old one.
  if (!isAsLiveUrlSays()) {
    show(new URL(part.dataset.liveUrl, location.href));
    return;
  }
  afterChange(asking);
  if (asking) centreChoices();
  asking = false;
});

part.addEventListener("change", ({ target }) => {
  if (target.name === "minutes") {
    const url = new URL(location.pathname, location.href);
    url.searchParams.set("day", shown().dataset.day);
    url.searchParams.set("minutes", target.value);
    show(url);
    return;
  }
  say("");
  summarise();
  keepInSight();
  remember();
});

part.addEventListener("click", (event) => {
  const link = event.target.closest("[data-day-link]");
  const plain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.button);
  if (!link || !plain) return;
  event.preventDefault();
  show(new URL(link.href));
});

// Enter in a choice would ask for a new page; the summary has the price already.
part.addEventListener("submit", (event) => {
  event.preventDefault();
  button.focus();
});

// A page from the browser's memory has a used key and old times.
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

summarise();
showBothZones();
remember();
centreChoices();
