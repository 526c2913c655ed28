/** The texts of values, for the other layers. */
export { describe, describeThrown, messageOf } from "./_describe.ts";
