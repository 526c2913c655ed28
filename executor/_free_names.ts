import { type Token, tokenize } from "./_source_tokens.ts";

/**
 * Finds what a function takes from the scope around it, by reading its source.
 *
 * *Theory of operation.* A name is free if it is used and nothing in the source declares it. This
 * looks at tokens, not at a syntax tree: scopes are ignored (a name declared anywhere counts as
 * declared everywhere) and every doubtful use counts as none. So it may miss a free name, which
 * then fails in the worker as a `ReferenceError`; it must never find one that is not free.
 *
 * @module
 */

/** Words that are no reference to a variable, or not always. */
const WORDS: ReadonlySet<string> = new Set(
  ("arguments as async await break case catch class const continue debugger default delete do else " +
    "enum eval export extends false finally for from function get if import in instanceof let new null " +
    "of return set static super switch this throw true try typeof undefined using var void while with " +
    "yield").split(" "),
);
const DECLARATIONS: ReadonlySet<string> = new Set(["const", "let", "using", "var"]);
/** Parentheses behind these hold no parameters. */
const STATEMENTS: ReadonlySet<string> = new Set(["for", "if", "switch", "while", "with"]);
/** These end a declaration that has no semicolon. */
const STATEMENT_STARTS: ReadonlySet<string> = new Set(
  "break const continue do for if let return switch throw try var while".split(" "),
);
/** After these comes a label, or a variable that may be missing. */
const NO_REFERENCE_AFTER: ReadonlySet<string> = new Set(["break", "continue", "typeof"]);

/** Returns the names that the function with this `source` uses but does not declare. */
export function freeNames(source: string): Set<string> {
  const reader = new Reader(tokenize(source));
  reader.read();
  return reader.used.difference(reader.declared);
}

class Reader {
  readonly used: Set<string> = new Set();
  readonly declared: Set<string> = new Set();
  readonly #tokens: readonly Token[];
  /** For each open bracket how many conditional operators wait for their colon. */
  readonly #conditions: number[] = [0];
  /** Opening braces of class bodies. */
  readonly #classBodies: Set<number> = new Set();
  /** The open brackets. */
  readonly #open: number[] = [];

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  read(): void {
    for (let index = 0; index < this.#tokens.length; index += 1) {
      const token = this.#tokens[index] as Token;
      if (token.kind === "punctuator") this.#readPunctuator(token.text, index);
      else if (token.kind === "name") this.#readName(token.text, index);
    }
  }

  #readPunctuator(text: string, index: number): void {
    if (text === "?") this.#countCondition(1);
    else if (text === ":") this.#countCondition(-1);
    else if (text === "(" && this.#holdsParameters(index)) this.#declareInside(index);
    if (text !== "" && "([{${".includes(text)) {
      this.#open.push(index);
      this.#conditions.push(0);
    } else if (")]}".includes(text)) {
      this.#open.pop();
      this.#conditions.pop();
    }
  }

  #readName(name: string, index: number): void {
    if (isProperty(this.#text(index - 1))) return;
    if (DECLARATIONS.has(name)) this.#declareVariables(index + 1);
    else if (name === "function" || name === "class") this.#declareNamed(name, index);
    if (this.#text(index + 1) === "=>") this.declared.add(name);
    else if (this.#isReference(name, index)) this.used.add(name);
  }

  #isReference(name: string, index: number): boolean {
    if (WORDS.has(name) || name.startsWith("#") || name.includes("\\")) return false;
    if (NO_REFERENCE_AFTER.has(this.#text(index - 1))) return false;
    if (this.#classBodies.has(this.#open.at(-1) ?? -1)) return false;
    const next = this.#text(index + 1);
    if (next === ":") return (this.#conditions.at(-1) ?? 0) > 0;
    if (next !== "(") return true;
    // `name(…) {` is a method.
    return this.#text(this.#partner(index + 1) + 1) !== "{";
  }

  /** Whether the parenthesis at `index` opens the parameters of a function or of `catch`. */
  #holdsParameters(index: number): boolean {
    const next = this.#text(this.#partner(index) + 1);
    return next === "=>" || (next === "{" && !STATEMENTS.has(this.#text(index - 1)));
  }

  /** Declares the variables of the `const`, `let`, `using` or `var` before `index`. */
  #declareVariables(index: number): void {
    let atName = true;
    for (let at = index; at < this.#tokens.length; at += 1) {
      const { kind, text, partner } = this.#tokens[at] as Token;
      if (STATEMENT_STARTS.has(text) && !isProperty(this.#text(at - 1))) return;
      if (text === ";" || (partner < at && ")]}".includes(text) && text !== "")) return;
      if (atName && kind === "name") this.declared.add(text);
      else if (atName && partner > at) this.#declareInside(at);
      if (partner > at) at = partner;
      atName = text === ",";
    }
  }

  /** Declares the name of the function or class whose keyword is at `index`. */
  #declareNamed(keyword: string, index: number): void {
    const at = this.#text(index + 1) === "*" ? index + 2 : index + 1;
    const token = this.#tokens[at];
    if (token?.kind === "name" && token.text !== "extends") this.declared.add(token.text);
    if (keyword === "class") this.#classBodies.add(this.#nextBrace(at));
  }

  /** Returns the index of the first brace from `index` on that is in no other bracket. */
  #nextBrace(index: number): number {
    let at = index;
    while (at < this.#tokens.length && this.#text(at) !== "{") {
      at = Math.max(this.#partner(at), at) + 1;
    }
    return at;
  }

  #declareInside(opener: number): void {
    for (let at = opener + 1; at < this.#partner(opener); at += 1) {
      const token = this.#tokens[at] as Token;
      if (token.kind === "name") this.declared.add(token.text);
    }
  }

  #countCondition(change: number): void {
    const top = this.#conditions.length - 1;
    this.#conditions[top] = Math.max((this.#conditions[top] ?? 0) + change, 0);
  }

  #text(index: number): string {
    return this.#tokens[index]?.text ?? "";
  }

  #partner(index: number): number {
    return this.#tokens[index]?.partner ?? -1;
  }
}

/** Whether a name after `previous` is that of a property. */
function isProperty(previous: string): boolean {
  return previous === "." || previous === "?.";
}
