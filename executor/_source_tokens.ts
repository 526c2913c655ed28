/** A piece of JavaScript source. */
export interface Token {
  /** `name` is an identifier or a keyword; `literal` is a string, a number, or a regular expression. */
  readonly kind: "name" | "literal" | "punctuator";
  /** Its text; empty for a literal. */
  readonly text: string;
  /** For an opening or closing bracket, where its partner is. */
  partner: number;
}

const SPACE = /(?:\s|\/\/[^\n\r\u2028\u2029]*|\/\*[^]*?\*\/)+/y;
const NAME = /#?[\p{ID_Start}$_\\][\p{ID_Continue}$\u200c\u200d\\]*/uy;
const NUMBER = /\.?\d(?:[eE][+-]|[\w.])*/y;
const STRING = /"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'/y;
const REGULAR_EXPRESSION = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/y;
/** The text of a template up to a `${` or the closing backtick. */
const TEMPLATE = /(?:[^`\\$]|\\[^]|\$(?!\{))*(`|\$\{)/y;
const PUNCTUATOR = /=>|\?\.(?!\d)|\?\?|\.\.\.|\+\+|--|[^]/y;

/** After these words a slash begins a regular expression. */
const BEFORE_EXPRESSION: ReadonlySet<string> = new Set(
  "await case delete do else in instanceof new of return throw typeof void yield".split(" "),
);
/** After the parenthesis of these a slash begins a regular expression. */
const STATEMENTS: ReadonlySet<string> = new Set(["for", "if", "while", "with"]);

/** Splits valid JavaScript into tokens. Brackets know their partners. */
export function tokenize(source: string): Token[] {
  const scanner = new Scanner(source);
  while (scanner.scan());
  return scanner.tokens;
}

class Scanner {
  readonly tokens: Token[] = [];
  readonly #source: string;
  #position = 0;
  /** Brackets that are open. */
  readonly #open: number[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  /** Adds the next token. Returns `false` at the end. */
  scan(): boolean {
    this.#match(SPACE);
    if (this.#position >= this.#source.length) return false;
    const name = this.#match(NAME);
    if (name !== null) this.#add("name", name);
    else if (this.#match(NUMBER) !== null || this.#match(STRING) !== null) this.#add("literal", "");
    else if (this.#isExpressionNext() && this.#match(REGULAR_EXPRESSION) !== null) {
      this.#add("literal", "");
    } else this.#scanPunctuator(this.#match(PUNCTUATOR) as string);
    return true;
  }

  #scanPunctuator(text: string): void {
    if (text === "`") return this.#scanTemplate();
    const opener = this.#open.at(-1);
    const closesTemplate = text === "}" && opener !== undefined &&
      this.tokens[opener]?.text === "${";
    if ("([{".includes(text)) this.#open.push(this.tokens.length);
    if (!")]}".includes(text)) return this.#add("punctuator", text);
    this.#open.pop();
    this.#add("punctuator", text, opener);
    if (closesTemplate) this.#scanTemplate();
  }

  #scanTemplate(): void {
    if (this.#match(TEMPLATE)?.endsWith("${") !== true) return this.#add("literal", "");
    this.#open.push(this.tokens.length);
    this.#add("punctuator", "${");
  }

  #add(kind: Token["kind"], text: string, partner = -1): void {
    const opener = this.tokens[partner];
    if (opener !== undefined) opener.partner = this.tokens.length;
    this.tokens.push({ kind, text, partner });
  }

  /** Matches `pattern` here and moves behind it. */
  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#source);
    if (match === null) return null;
    this.#position = pattern.lastIndex;
    return match[0];
  }

  /** Whether a slash here begins a regular expression, not a division. */
  #isExpressionNext(): boolean {
    const last = this.tokens.at(-1);
    if (last === undefined) return true;
    if (last.kind === "name") return BEFORE_EXPRESSION.has(last.text);
    if (last.kind === "literal") return false;
    if (last.text === ")") {
      return STATEMENTS.has(this.tokens[last.partner - 1]?.text ?? "");
    }
    return !["]", "++", "--"].includes(last.text);
  }
}
