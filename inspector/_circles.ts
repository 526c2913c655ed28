/** A task or future, and what it awaits. */
interface Node {
  readonly id: number;
  readonly awaits: readonly number[];
}

/** A node while it is looked at. */
interface Visit {
  readonly id: number;
  readonly awaits: readonly number[];
  /** The place of the next of them. */
  next: number;
}

/**
 * Finds those that wait for themselves, directly or not: the strongly connected parts of the graph,
 * each with the numbers in it. Linear, and without recursion.
 */
export function findCircles(nodes: readonly Node[]): number[][] {
  const awaits = new Map(nodes.map((node) => [node.id, node.awaits]));
  const order: Map<number, number> = new Map();
  const lowest: Map<number, number> = new Map();
  const stack: number[] = [];
  const onStack = new Set<number>();
  const circles: number[][] = [];
  const visits: Visit[] = [];
  const enter = (id: number) => {
    order.set(id, order.size);
    lowest.set(id, order.size - 1);
    stack.push(id);
    onStack.add(id);
    visits.push({ id, awaits: awaits.get(id) ?? [], next: 0 });
  };
  const lower = (id: number, bound: number) => {
    if (bound < (lowest.get(id) as number)) lowest.set(id, bound);
  };
  for (const { id: root } of nodes) {
    if (order.has(root)) continue;
    enter(root);
    for (let visit = visits.at(-1); visit !== undefined; visit = visits.at(-1)) {
      const { id } = visit;
      const awaited = visit.awaits[visit.next];
      if (awaited !== undefined) {
        visit.next += 1;
        if (!order.has(awaited)) enter(awaited);
        else if (onStack.has(awaited)) lower(id, order.get(awaited) as number);
        continue;
      }
      visits.pop();
      const outer = visits.at(-1);
      if (outer !== undefined) lower(outer.id, lowest.get(id) as number);
      if (lowest.get(id) !== order.get(id)) continue;
      const part = stack.splice(stack.lastIndexOf(id));
      for (const member of part) onStack.delete(member);
      if (part.length > 1 || awaits.get(id)?.includes(id) === true) circles.push(part);
    }
  }
  return circles;
}
