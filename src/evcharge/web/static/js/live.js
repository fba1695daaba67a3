// Keeps marked parts of a page fresh: a hint says "look again", then we fetch.
//   <div data-live-topic="location:7" data-live-url="/locations/7/evses">
// Several topics are separated by spaces; data-live-token carries signed topics.
// A page that has put in other parts says so with "live:parts" on the document.
// What changes within a second of being asked to has data-live-restless: it looks again
// as soon as hints can come, for one may have been sent while the page was on its way.
// A part with something marked data-live-waits looks once more when the stream opens.
// After a change the part hears "live:updated"; ask for one with "live:refresh".
import { swap } from "./swap.js";

const SLOW_REFRESH_MS = 60_000; // Corrects a page that missed a hint.
const PAUSE_MS = 2_000; // A part looks again at most this often,
const JITTER_MS = 500; // and not everybody's at the same instant.
const FIRST_RETRY_MS = 3_000;
const LAST_RETRY_MS = 60_000;

const later = () => Math.random() * JITTER_MS;

class Part {
  constructor(element) {
    this.element = element;
    this.isRestless = "liveRestless" in element.dataset;
    this.topics = element.dataset.liveTopic.split(/\s+/).filter(Boolean);
    this.fetchedAt = 0;
    this.timer = null;
    this.fetching = false;
    this.again = false;
    this.stopped = false;
    element.addEventListener("live:refresh", () => this.refreshSoon());
  }

  // What the page waits for may have come before the stream was open.
  get isBehind() {
    return this.element.querySelector("[data-live-waits]") !== null;
  }

  refreshSoon() {
    // What is under way may have been rendered before this hint was sent.
    this.again = this.fetching;
    if (this.stopped || this.fetching || this.timer !== null) return;
    const rest = Math.max(0, this.fetchedAt + PAUSE_MS - Date.now());
    this.timer = setTimeout(() => this.refresh(), rest + later());
  }

  async refresh() {
    this.timer = null;
    this.fetching = true;
    this.fetchedAt = Date.now();
    try {
      const url = new URL(this.element.dataset.liveUrl, location.href);
      url.searchParams.set("fragment", "1");
      const answer = await fetch(url, { redirect: "error" });
      if (answer.ok) swap(this.element, await answer.text());
      else if (answer.status === 401 || answer.status === 404) this.stopped = true;
    } catch {
      // No network: the slow refresh or the next hint tries again.
    } finally {
      this.fetching = false;
      if (this.again) this.refreshSoon();
    }
  }
}

const find = () =>
  [...document.querySelectorAll("[data-live-topic]")].map((element) => new Part(element));

let parts = find();
let hints = null;
let wasOpen = false;
let retryMs = FIRST_RETRY_MS;
let retryTimer = null;

const streamUrl = () => {
  const query = new URLSearchParams();
  for (const part of parts.filter((each) => !each.stopped)) {
    part.topics.forEach((topic) => query.append("topic", topic));
    const token = part.element.dataset.liveToken;
    if (token) query.append("token", token);
  }
  return `/live?${query}`;
};

// One stream for the whole page: browsers allow six per host over HTTP/1.1.
const open = () => {
  clearTimeout(retryTimer);
  if (hints !== null || document.hidden || parts.every((part) => part.stopped)) return;
  hints = new EventSource(streamUrl());
  hints.onopen = () => {
    retryMs = FIRST_RETRY_MS;
    // Whatever was sent while no stream was open is lost.
    parts.filter((part) => wasOpen || part.isRestless).forEach((part) => part.refreshSoon());
    wasOpen = true;
  };
  hints.onmessage = ({ data }) =>
    parts.filter((part) => part.topics.includes(data)).forEach((part) => part.refreshSoon());
  hints.onerror = () => {
    // The browser repeats a broken stream by itself, but gives up on a refusal.
    if (hints?.readyState !== EventSource.CLOSED) return;
    close();
    retryTimer = setTimeout(open, retryMs + later());
    retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
  };
};

const close = () => {
  clearTimeout(retryTimer);
  hints?.close();
  hints = null;
};

const refreshAll = () => parts.forEach((part) => part.refreshSoon());

open();
setInterval(() => document.hidden || refreshAll(), SLOW_REFRESH_MS + later());
document.addEventListener("live:parts", () => {
  close();
  parts = find();
  open();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    close();
    return;
  }
  refreshAll();
  open();
});
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  refreshAll();
  open();
});
