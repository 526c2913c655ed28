import type { Appointment } from "./_agenda.ts";
import type { World } from "./_world.ts";
import { DEFAULT_CONDITIONS } from "./link_conditions.ts";
import type { Fault } from "./fault_plan.ts";
import type { SimulatedHost } from "./simulated_host.ts";
import type { SimulatedNetwork } from "./simulated_network.ts";

/** Seconds that a packet of a slow host takes. */
const SLOW_LATENCY = 1;

/** Lets things go wrong as planned. */
export class Faults {
  readonly #world: World;
  readonly #network: SimulatedNetwork;
  readonly #host: (name: string) => SimulatedHost;
  readonly #planned: Set<Appointment> = new Set();
  /** What ends a fault that lasts still. */
  readonly #lasting: Map<Appointment, () => void> = new Map();

  constructor(
    world: World,
    network: SimulatedNetwork,
    host: (name: string) => SimulatedHost,
    faults: readonly Fault[],
  ) {
    this.#world = world;
    this.#network = network;
    this.#host = host;
    for (const fault of faults) {
      const appointment = world.clock.schedule(fault.at, () => {
        this.#planned.delete(appointment);
        this.#begin(fault);
      });
      this.#planned.add(appointment);
    }
  }

  /** Ends all that lasts, and lets nothing go wrong any more. */
  heal(): void {
    for (const appointment of this.#planned) appointment.cancel();
    this.#planned.clear();
    for (const [appointment, end] of this.#lasting) {
      appointment.cancel();
      end();
    }
    this.#lasting.clear();
    this.#network.heal();
  }

  #begin({ kind, host: name, duration }: Fault): void {
    const host = this.#host(name);
    // One that is down, or has never run anything, has nothing to lose.
    if (!host.isUp || !host.canRestart) return;
    this.#world.note(name, `fault ${kind} ${duration}`);
    switch (kind) {
      case "crash":
        host.crash();
        return this.#last(duration, () => this.#restart(host));
      case "kill":
        host.kill();
        return this.#last(duration, () => this.#restart(host));
      case "pause":
        return host.pause(duration);
      case "partition":
        this.#network.partition(name);
        return this.#last(duration, () => this.#network.heal(name));
      case "reset":
        return this.#network.reset(name);
      case "slow": {
        const others = this.#network.hostNames.filter((other) => other !== name);
        this.#network.setLink(name, others, { latency: SLOW_LATENCY });
        return this.#last(duration, () => {
          const { latency } = DEFAULT_CONDITIONS;
          this.#network.setLink(name, others, { latency });
        });
      }
    }
  }

  #restart(host: SimulatedHost): void {
    if (host.isUp) return;
    this.#world.note(host.name, "restart");
    host.restart();
  }

  #last(duration: number, end: () => void): void {
    const { clock } = this.#world;
    const appointment = clock.schedule(clock.now() + duration, () => {
      this.#lasting.delete(appointment);
      end();
    });
    this.#lasting.set(appointment, end);
  }
}
