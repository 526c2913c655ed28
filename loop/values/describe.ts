/** The texts of values, for the other layers. */
export { describe, describeThrown } from "./_describe.ts";
