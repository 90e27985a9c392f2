// Keys, the editor in place, filters that apply themselves. Pages work by links and forms; this makes them quick.
const opened = performance.now();
const find = (selector) => document.querySelector(selector);
const decision = find("#decision"), help = find("#help");
const editor = find("textarea[name=answer]"), note = find(".why input");
const isEditing = () => Boolean(editor && !editor.hidden);
const isWriting = (element) => element.matches("input, textarea, select");

function edit(isOn) {
  const text = editor.parentElement.querySelector(".shown");
  editor.hidden = !isOn;
  text.hidden = isOn;
  find(".editing").hidden = !isOn;
  find(".deciding").hidden = isOn;
  if (!isOn) {
    editor.value = editor.defaultValue;
    return editor.setCustomValidity("");
  }
  read();
  editor.focus();
  editor.setSelectionRange(editor.value.length, editor.value.length);
}

function read() {
  editor.setCustomValidity(editor.value.trim() ? "" : "Write an answer, or reject the row.");
  editor.style.height = "auto";
  editor.style.height = `${editor.scrollHeight + 2}px`;
}

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.isComposing || event.altKey || help?.open) return;
  const isChord = event.ctrlKey || event.metaKey;
  if (event.key === "Enter" && (event.target === note || (event.target === editor && isChord))) {
    event.preventDefault();
    return isEditing() ? find("[data-save]").click() : note.blur();
  }
  const who = event.key === "Escape" && find(".who[open]");
  if (who) {
    who.open = false;
    return who.querySelector("summary").focus();
  }
  if (event.key === "Escape") {
    if (isEditing() && event.target !== note) edit(false);
    return event.target.blur();
  }
  if (isChord || isWriting(event.target)) return;
  // In code that is wider than the page the arrows move the code.
  if (event.key.startsWith("Arrow") && event.target.matches("pre") && event.target.scrollWidth > event.target.clientWidth) return;
  const target = find(`[data-key="${CSS.escape(event.key)}"]`);
  if (!target || target.disabled || target.closest("[hidden]")) return;
  event.preventDefault();
  if (target.matches("input")) target.focus();
  else target.click();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-edit]")) edit(true);
  if (event.target.closest("[data-cancel]")) edit(false);
  if (event.target.closest("[data-help]")) help.showModal();
});

editor?.addEventListener("input", read);

const posts = document.querySelectorAll("form[method=post]"), filters = find(".filters");
let isSaving = false;

for (const form of posts) {
  form.addEventListener("submit", (event) => {
    // A second press before the next page is here would decide about a row that nobody has seen.
    if (form.dataset.isSent) return event.preventDefault();
    form.dataset.isSent = "yes";
    isSaving = event.submitter?.matches("[data-save]");
    const { seconds, note: why } = form.elements;
    if (seconds) seconds.value = ((performance.now() - opened) / 1000).toFixed(1);
    if (why) why.value = note.value;
  });
}

// Out of an open edit leads Cancel, keeping it, or yes to the browser's question.
addEventListener("beforeunload", (event) => {
  if (isSaving || !isEditing() || editor.value === editor.defaultValue) return;
  event.preventDefault();
  // Whoever stays finds the page as it was: no form is under way, and the filters say what is shown.
  setTimeout(() => {
    for (const form of posts) delete form.dataset.isSent;
    filters.reset();
  });
});

// A page that comes back from the browser's memory has been sent before.
addEventListener("pageshow", (event) => event.persisted && location.reload());

filters?.addEventListener("change", (event) => event.currentTarget.requestSubmit());

// Only what changes on a page is read aloud; the row changed with the page.
const told = find("[data-tell]");
if (told) setTimeout(() => (told.textContent = told.dataset.tell), 300);
