// Counts down to an instant:
//   <div data-countdown-to="…Z" data-server-now="…Z" data-countdown-total="600"
//        data-countdown-over="Time is up">
// Inside: [data-countdown-text] minutes, [data-countdown-ring] an SVG circle with
// pathLength 100, [data-countdown-say] an aria-live line. At zero it shows the text
// and asks the live part around it to look again.
const SAY_AT_SECONDS = 60;
const GRACE_MS = 1000; // The server must agree that it is over before we ask.

const running = new WeakMap();

const start = (element) => {
  const { countdownTo, serverNow } = element.dataset;
  // The server's clock decides; this device's may be wrong.
  const skew = serverNow ? Date.parse(serverNow) - Date.now() : 0;
  const state = { end: Date.parse(countdownTo) - skew, said: false, over: false };
  running.set(element, state);
  return state;
};

const say = (element, words) => {
  const line = element.querySelector("[data-countdown-say]");
  if (line) line.textContent = words;
};

const show = (element, seconds) => {
  const minutes = Math.floor(seconds / 60);
  const text = element.querySelector("[data-countdown-text]") ?? element;
  text.textContent = `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
  const ring = element.querySelector("[data-countdown-ring]");
  const total = Number(element.dataset.countdownTotal) || seconds || 1;
  const left = Math.min(100, (100 * seconds) / total);
  ring?.setAttribute("stroke-dashoffset", String(100 - left));
};

const finish = (element, state) => {
  state.over = true;
  const words = element.dataset.countdownOver;
  if (words) {
    (element.querySelector("[data-countdown-text]") ?? element).textContent = words;
    say(element, words);
  }
  element.classList.add("is-over");
  setTimeout(() => {
    const part = element.closest("[data-live-url]");
    if (part) part.dispatchEvent(new CustomEvent("live:refresh"));
    else if ("countdownReload" in element.dataset) location.reload();
  }, GRACE_MS);
};

const tick = () => {
  for (const element of document.querySelectorAll("[data-countdown-to]")) {
    const state = running.get(element) ?? start(element);
    if (state.over) continue;
    const seconds = Math.ceil((state.end - Date.now()) / 1000);
    if (seconds <= 0) {
      show(element, 0);
      finish(element, state);
      continue;
    }
    show(element, seconds);
    if (seconds <= SAY_AT_SECONDS && !state.said) {
      state.said = true;
      say(element, "One minute left");
    }
  }
};

tick();
setInterval(tick, 1000);
document.addEventListener("visibilitychange", tick);
