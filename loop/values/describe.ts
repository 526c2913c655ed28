/** The texts of values, for the other layers. */
export { describe, describeThrown, lineOf, messageOf, nameOfThrown } from "./_describe.ts";
export { showAsText } from "./_shown_as_text.ts";
