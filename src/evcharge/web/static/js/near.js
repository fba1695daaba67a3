// <button data-near-me="id of the hidden input" hidden>: asks where people are, only
// when they press it, and searches from there.
const TRIES_MS = 10_000;
const DECIMALS = 3; // About 100 m: enough for a list, and no more than is needed.

const button = document.querySelector("[data-near-me]");
const says = document.querySelector("[data-near-says]");
const input = button && document.getElementById(button.dataset.nearMe);

const say = (words) => {
  says.textContent = words;
};

const searchFrom = ({ coords }) => {
  input.value = `${coords.latitude.toFixed(DECIMALS)},${coords.longitude.toFixed(DECIMALS)}`;
  button.disabled = false;
  say("");
  input.form.requestSubmit();
};

const giveUp = (error) => {
  button.disabled = false;
  say(
    error.code === error.PERMISSION_DENIED
      ? "Your browser keeps your place to itself. Search for a town or pincode instead."
      : "We could not tell where you are. Search for a town or pincode instead.",
  );
};

if (button && navigator.geolocation) {
  button.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    say("Looking for where you are…");
    navigator.geolocation.getCurrentPosition(searchFrom, giveUp, {
      timeout: TRIES_MS,
      maximumAge: 60_000,
    });
  });
}
