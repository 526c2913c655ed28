/**
 * The signals of simulated processes, those of Linux on every system, so that the same seed gives the
 * same return codes wherever it runs.
 */
const NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGIOT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPOLL: 29,
  SIGPWR: 30,
  SIGSYS: 31,
  SIGUNUSED: 31,
};

/** Those that do not end a process which has no handler: most do nothing, some stop and go on. */
const HARMLESS: ReadonlySet<number> = new Set([17, 18, 19, 20, 21, 22, 23, 28]);

/**
 * Returns the number of `signal`.
 *
 * @throws {TypeError} If there is no such signal, as on Deno.
 */
export function signalNumber(signal: Deno.Signal): number {
  if (!Object.hasOwn(NUMBERS, signal)) {
    throw new TypeError(`Cannot use signal "${signal}": the simulated system does not have it`);
  }
  return NUMBERS[signal] as number;
}

/** Whether signal `number` ends a process that does not handle it. */
export function isFatal(number: number): boolean {
  return !HARMLESS.has(number);
}
