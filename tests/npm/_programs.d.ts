import type { Simulation } from "../../simulation/mod.ts";

/** A program. Gives what it has seen. */
export type NpmProgram = (sim: Simulation) => Promise<unknown>;

/** All of them, by the packages that they are of. */
export declare const NPM_PROGRAMS: Readonly<Record<string, NpmProgram>>;
