/**
 * What tests of other folders use of the programs from seeds.
 *
 * @module
 */
export { SeededRandom } from "./_random.ts";
