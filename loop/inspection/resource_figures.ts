import type { EventLoop } from "../event_loop.ts";
import { identitiesOf } from "./identities.ts";
import type {
  ExecutorSnapshot,
  ProcessSnapshot,
  ServerSnapshot,
  TransportSnapshot,
} from "./snapshot.ts";

/** What a snapshot tells of what the layers above have open: each adds what it is. */
export class ResourceFigures {
  /** Connections, pipes and datagram endpoints. */
  readonly transports: TransportSnapshot[] = [];
  /** Servers. */
  readonly servers: ServerSnapshot[] = [];
  /** Child processes. */
  readonly processes: ProcessSnapshot[] = [];
  /** Executors. */
  readonly executors: ExecutorSnapshot[] = [];
  /** The time of the loop. */
  readonly now: number;
  readonly #loop: EventLoop;

  constructor(loop: EventLoop) {
    this.#loop = loop;
    this.now = loop.time();
  }

  /** The number of `object` in all snapshots of the loop. */
  idOf(object: object): number {
    return identitiesOf(this.#loop).of(object);
  }
}
