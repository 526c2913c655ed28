/**
 * What tests of other folders use to run on a loop in virtual time.
 *
 * @module
 */
export { caughtBy, countIterations, runVirtual, TestLoop } from "./_test_loop.ts";
