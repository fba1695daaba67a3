// Draws the rows of a table as a chart:
//   <div class="chart" data-chart="id of the table" hidden></div>
//   <tr data-day="24 Nov" data-bookings="31" data-paise="412000">
// There is one source of numbers, the table; without scripts it stands alone.
const { uPlot } = window;

const HEIGHT = 280;
const rupees = new Intl.NumberFormat("en-IN", { style: "currency", currency: "INR" });
const short = new Intl.NumberFormat("en-IN", {
  style: "currency",
  currency: "INR",
  notation: "compact",
});
const whole = new Intl.NumberFormat("en-IN");

const color = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();

const read = (table) => {
  const rows = [...table.querySelectorAll("tr[data-day]")];
  return {
    days: rows.map((row) => row.dataset.day),
    data: [
      rows.map((_, index) => index),
      rows.map((row) => Number(row.dataset.bookings)),
      rows.map((row) => Number(row.dataset.paise) / 100),
    ],
  };
};

// Room for the first and the last bar, and never less than a few on the scale.
const fromZero = (_plot, _low, high) => [0, Math.max(4, high * 1.1)];

const options = (width, days) => {
  const axis = { stroke: color("--muted"), font: "13px Inter, system-ui, sans-serif" };
  const lines = { stroke: color("--line"), width: 1 };
  return {
    width,
    height: HEIGHT,
    // Today's numbers, until somebody points elsewhere.
    hooks: { ready: [(plot) => plot.setLegend({ idx: days.length - 1 })] },
    cursor: { y: false, points: { size: 8 } },
    scales: {
      x: { time: false, range: [-0.6, days.length - 0.4] },
      bookings: { range: fromZero },
      revenue: {
        range: (_plot, low, high) => [Math.min(0, low * 1.1), Math.max(100, high * 1.1)],
      },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        ticks: { show: false },
        space: 56,
        size: 32,
        incrs: [1, 2, 3, 5, 7, 10, 14],
        values: (_plot, splits) => splits.map((index) => days[index] ?? ""),
      },
      {
        ...axis,
        scale: "bookings",
        grid: lines,
        ticks: { show: false },
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 20000, 100000],
        values: (_plot, splits) => splits.map((value) => whole.format(value)),
      },
      {
        ...axis,
        scale: "revenue",
        side: 1,
        size: 64,
        grid: { show: false },
        ticks: { show: false },
        values: (_plot, splits) => splits.map((value) => short.format(value)),
      },
    ],
    series: [
      { label: "Day", value: (_plot, index) => days[index] ?? "" },
      {
        label: "Bookings made",
        scale: "bookings",
        stroke: color("--primary"),
        fill: color("--primary"),
        width: 0,
        paths: uPlot.paths.bars({ size: [0.55, 36], radius: 0.2 }),
        points: { show: false },
        value: (_plot, value) => (value === null ? "" : whole.format(value)),
      },
      {
        label: "Revenue",
        scale: "revenue",
        stroke: color("--accent"),
        width: 3,
        points: { size: 7, fill: color("--accent") },
        value: (_plot, value) => (value === null ? "" : rupees.format(value)),
      },
    ],
  };
};

const draw = (place) => {
  const { days, data } = read(document.getElementById(place.dataset.chart));
  place.hidden = false;
  place.replaceChildren();
  return new uPlot(options(place.clientWidth, days), data, place);
};

const charts = new Map();
const drawAll = () => {
  charts.clear();
  for (const place of document.querySelectorAll("[data-chart]")) {
    charts.set(place, draw(place));
  }
};

drawAll();
for (const table of document.querySelectorAll("[data-chart-table]")) table.open = false;

addEventListener("live:updated", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
addEventListener("resize", () => {
  for (const [place, plot] of charts) {
    plot.setSize({ width: place.clientWidth, height: HEIGHT });
  }
});
