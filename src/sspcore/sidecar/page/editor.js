// The SQL box: what is typed becomes a live query after a short rest, or at once with Ctrl+Enter.

const REST = 300;
const KEPT = "sspcore.sql";

export class Editor {
  /** `ask(sql)` registers a query. */
  constructor({ box, text, hint, error, sheet }, ask) {
    Object.assign(this, { box, text, hint, error, sheet, ask });
    this.text.value = localStorage.getItem(KEPT) ?? "";
    hint.innerHTML = "It is kept live as you type. <kbd>Ctrl</kbd> <kbd>Enter</kbd> asks at once.";
    this.text.addEventListener("input", () => this.typed());
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.submit();
      }
    });
  }

  typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.submit(), REST);
  }

  submit() {
    clearTimeout(this.timer);
    const sql = this.text.value.trim();
    localStorage.setItem(KEPT, this.text.value);
    if (sql) this.ask(sql);
    else this.fine();
  }

  show(sql) {
    this.box.hidden = false;
    if (sql !== undefined) this.text.value = sql;
    this.text.focus();
    this.submit();
  }

  hide() {
    this.box.hidden = true;
    this.fine();
  }

  fine() {
    this.error.hidden = true;
    this.sheet.classList.remove("stale");
  }

  /** Show an error: what, then the line with the caret under the place, then what to do. */
  fail(message) {
    const line = (className, text) => Object.assign(document.createElement(className), { textContent: text });
    const what = document.createElement("p");
    what.append(line("b", capital(message.message)));
    const parts = [what];
    if (message.caret) {
      const [shown, caret] = message.caret.split("\n");
      const block = document.createElement("pre");
      block.append(`${shown}\n`, line("em", caret));
      parts.push(block);
    }
    if (message.hint) parts.push(line("p", capital(message.hint)));
    this.error.replaceChildren(...parts);
    this.error.hidden = false;
    this.sheet.classList.add("stale"); // below is the answer to the last query that was one
  }
}

const capital = (text) => text.replace(/^[a-z]/, (first) => first.toUpperCase());
