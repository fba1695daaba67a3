// <button data-copy="id of the input" data-copied="Copied" hidden>Copy</button>
// Without this script the text can be selected by hand.
for (const button of document.querySelectorAll("[data-copy]")) {
  const input = document.getElementById(button.dataset.copy);
  const rest = button.textContent;
  button.hidden = false;
  input.addEventListener("focus", () => input.select());
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(input.value);
    } catch {
      // Refused, or the page came without HTTPS: select it, so that a key will do.
      input.focus();
      input.select();
      if (!document.execCommand("copy")) return;
    }
    button.textContent = button.dataset.copied;
    setTimeout(() => (button.textContent = rest), 2000);
  });
}
