/**
 * The way of a cancellation along those who wait for each other.
 *
 * *Theory of operation.* A cancellation is asked for at one place and has to end a wait at another.
 * It comes to a {@linkcode Cancellable}, which takes it or says where it goes on: a coroutine to
 * what it waits for, a scope to each of its awaits, what runs as part of a caller to that. It ends
 *
 * - at a bare future, which is cancelled, or an operation, which is woken: `interrupted`;
 * - at what is done or woken already, whose waiters are in the ready queue: `missed`;
 * - at who is on the way from the start: a `circle`, whose last wait is given up.
 *
 * No miss is lost: on the way back the first who was not *routed* to keeps it, until its next step
 * or its next await. Who was routed to passes the answer on to who waits for it and does.
 *
 * Each wait hears its answer before the next one is gone through, and who went on through several
 * decides when all have answered, by the strongest: `circle`, `interrupted`, `missed`.
 *
 * Nothing that waits goes on within a walk: it is put into the ready queue. The only code of users
 * that runs are listeners of signals, before their task or scope says where the walk goes on.
 *
 * @module
 */
import * as inside from "../inside.ts";
import type { CancelReason } from "./_cancel_reason.ts";

/**
 * What came of a cancellation: it has `interrupted` a wait, or is kept; it has `missed`, as the
 * wake-up is on its way; or it came back in a `circle` of those that wait for each other.
 */
export type CancelVerdict = "interrupted" | "missed" | "circle";

/** A future, or the scope of an async function, as a cancellation meets it. */
export interface Cancellable {
  /**
   * Takes the cancellation, or says who it goes on to.
   *
   * @param routed Whether it comes from who waits for this and keeps it if it misses.
   */
  [inside.passCancel](reason: CancelReason, routed: boolean): CancelVerdict | readonly CancelEdge[];
  /** All that it went on to have answered; `verdict` is the strongest answer. */
  [inside.endCancel](verdict: CancelVerdict, reason: CancelReason, routed: boolean): CancelVerdict;
}

/** One wait that a cancellation goes on through. */
export interface CancelEdge {
  /** What is waited for. */
  readonly future: Cancellable;
  /** Whether who waits keeps a cancellation that misses. */
  readonly routed: boolean;
  /** Hears what came of it. */
  [inside.answerCancel]?(verdict: CancelVerdict, reason: CancelReason): void;
}

/** What contains those that {@linkcode cancelContained} cancels. */
let containing: readonly Cancellable[] = [];

/**
 * Calls `cancel`, which cancels what `hosts` have started and wait for. Who of these waits for a host
 * closes a circle at once: the host cannot end before them, and must not be cancelled by them.
 */
export function cancelContained(hosts: readonly Cancellable[], cancel: () => void): void {
  const outer = containing;
  containing = hosts;
  try {
    cancel();
  } finally {
    containing = outer;
  }
}

/** How often one walk goes through what it has gone through before. */
const MAX_AGAIN = 1000;

/** One step of the walk: a node and the waits that are left of it. */
interface Step {
  readonly node: Cancellable;
  readonly routed: boolean;
  readonly edges: readonly CancelEdge[];
  next: number;
  verdict: CancelVerdict;
}

/**
 * Cancels `start` and all that it waits for. A walk with a stack of its own, as tasks that wait
 * for tasks may be many. What several wait for is gone through for each of them, which it counts, as
 * in asyncio. Where nodes share at each level the ways double: who comes to a node anew after
 * {@linkcode MAX_AGAIN} of them gets the answer that came of it before.
 *
 * @param within What contains `start`, and must not be cancelled through it.
 */
export function walkCancel(
  start: Cancellable,
  reason: CancelReason,
  routed: boolean,
  within?: Cancellable,
): CancelVerdict {
  const first = start[inside.passCancel](reason, routed);
  if (typeof first === "string") return first;
  // Only who is on the way from the start closes a circle; others may be met twice.
  const path = new Set<Cancellable>(containing).add(start);
  if (within !== undefined) path.add(within);
  const answers = new Map<Cancellable, CancelVerdict>();
  let again = 0;
  const steps = [stepOf(start, routed, first)];
  for (;;) {
    const step = steps.at(-1) as Step;
    const edge = step.edges[step.next++];
    if (edge !== undefined) {
      const passed = path.has(edge.future)
        ? "circle"
        : edge.future[inside.passCancel](reason, edge.routed);
      if (typeof passed === "string") answer(step, edge, passed, reason);
      else {
        const known = answers.get(edge.future);
        path.add(edge.future);
        const isOpen = known === undefined || again++ < MAX_AGAIN;
        steps.push(
          stepOf(edge.future, edge.routed, isOpen ? passed : [], isOpen ? undefined : known),
        );
      }
      continue;
    }
    const verdict = step.node[inside.endCancel](step.verdict, reason, step.routed);
    answers.set(step.node, step.verdict);
    path.delete(step.node);
    steps.pop();
    const outer = steps.at(-1);
    if (outer === undefined) return verdict;
    answer(outer, outer.edges[outer.next - 1] as CancelEdge, verdict, reason);
  }
}

/** Cancels what `waiting` waits for. Returns `false` when it is woken already, or done. */
export function cancelThrough(
  awaited: Cancellable,
  reason: CancelReason,
  waiting: Cancellable,
): boolean {
  return walkCancel(awaited, reason, true, waiting) !== "missed";
}

function stepOf(
  node: Cancellable,
  routed: boolean,
  edges: readonly CancelEdge[],
  verdict: CancelVerdict = "missed",
): Step {
  return { node, routed, edges, next: 0, verdict };
}

function answer(step: Step, edge: CancelEdge, verdict: CancelVerdict, reason: CancelReason): void {
  edge[inside.answerCancel]?.(verdict, reason);
  if (step.verdict === "missed" || verdict === "circle") step.verdict = verdict;
}
