// The list follows the search without a new page: what is open stays open, and nothing
// flashes. Where that does not work, the form sends as any other.
const form = document.querySelector(".find");
const filters = form.querySelector(".find-filters");
const section = document.querySelector(".found");
const TIME_FIELDS = ["on", "at", "minutes"]; // They say nothing by themselves.
const wide = matchMedia("(width >= 768px)");

const addressOf = (asked) => {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(asked)) if (value) query.append(name, value);
  if (query.get("when") !== "at") TIME_FIELDS.forEach((name) => query.delete(name));
  return new URL(`?${query}`, location.href);
};

const take = (page, selector, put) =>
  put(document.querySelector(selector), page.querySelector(selector));

const put = (html) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  take(page, "[data-found]", (old, fresh) => old.replaceWith(fresh));
  take(page, "[data-found-count]", (old, fresh) => {
    old.textContent = fresh.textContent.trim();
  });
  take(page, "[data-filters-set]", (old, fresh) => {
    old.textContent = fresh.textContent;
    old.hidden = fresh.hidden;
  });
  document.dispatchEvent(new Event("live:parts"));
};

let latest = null;
const show = async (url) => {
  latest?.abort();
  latest = new AbortController();
  const { signal } = latest;
  section.classList.add("is-waiting");
  try {
    const answer = await fetch(url, { signal });
    if (!answer.ok) throw new Error(String(answer.status));
    put(await answer.text());
    history.pushState(null, "", url);
    section.classList.remove("is-waiting");
  } catch {
    // A later search goes on; else a whole page can say best what is wrong.
    if (!signal.aborted) location.assign(url);
  }
};

const leadToList = () => {
  filters.open = false;
  section.scrollIntoView({ behavior: "instant" });
};

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (filters.contains(event.submitter)) leadToList();
  show(addressOf(form));
});

// Back to an earlier search: its fields, too, are those of its own page.
addEventListener("popstate", () => location.reload());

// Filters that wide screens show always, where the style sheet alone cannot.
const openWhereWide = () => {
  if (wide.matches) filters.open = true;
};
if (!CSS.supports("selector(::details-content)")) {
  wide.addEventListener("change", openWhereWide);
  openWhereWide();
}
