// Keeps "12 s ago" true while the page stays open:
//   <time datetime="2026-11-23T12:00:00Z" data-age>12 s ago</time>
// The words are those of `age` in web/formats.py.
const STEPS = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86_400, 3600, "h"],
];

const words = (seconds) => {
  const step = STEPS.find(([below]) => seconds < below);
  if (step) return `${Math.floor(seconds / step[1])} ${step[2]} ago`;
  const days = Math.floor(seconds / 86_400);
  return days === 1 ? "1 day ago" : `${days} days ago`;
};

// A phone's clock may be wrong. What the server wrote is right for the moment it
// arrived, so from then on only elapsed time counts.
const UNITS = { s: 1, min: 60, h: 3600, day: 86_400, days: 86_400 };
const firstSeen = new WeakMap();

const written = (element) => {
  const [count, unit] = element.textContent.trim().split(" ");
  return Number(count) * UNITS[unit];
};

const tick = () => {
  if (document.hidden) return;
  const now = Date.now();
  for (const element of document.querySelectorAll("time[data-age]")) {
    if (!firstSeen.has(element)) {
      const exact = (now - Date.parse(element.dateTime)) / 1000;
      const shown = written(element);
      // Within the unit shown, the clocks agree: the exact age is the better one.
      const agrees = words(Math.max(0, exact)) === element.textContent.trim();
      firstSeen.set(element, now - (agrees ? exact : shown) * 1000);
    }
    const seconds = Math.max(0, Math.floor((now - firstSeen.get(element)) / 1000));
    const text = words(seconds);
    if (element.textContent !== text) element.textContent = text;
  }
};

tick();
setInterval(tick, 1000);
document.addEventListener("visibilitychange", tick);
