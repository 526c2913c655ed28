import * as inside from "../loop/inside.ts";
import { checkOptions } from "../loop/values/check_options.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type { Network } from "../loop/platform/platform.ts";
import { Connection, type ConnectionOptions } from "./_connection.ts";
import { type Backbone, type Host, HostNetwork } from "./_host_network.ts";
import { HostStack, isLoopback, isWildcard } from "./_host_stack.ts";
import { LINK } from "./_options.ts";
import { directionOf, Wire } from "./_wire.ts";
import type { World } from "./_world.ts";
import type { FaultRule } from "./fault_rule.ts";
import { DEFAULT_CONDITIONS, type LinkConditions } from "./link_conditions.ts";

/** What Unix sockets are like: they lose nothing and take no time. */
const LOCAL_CONDITIONS: LinkConditions = { ...DEFAULT_CONDITIONS, latency: 0, jitter: 0 };

/** The address that reaches every host. */
const BROADCAST = "255.255.255.255";

/**
 * A host, by its name, or several.
 *
 * @category Simulation
 */
export type HostNames = string | readonly string[];

/**
 * The network between the hosts of a simulation, with its conditions and its faults.
 *
 * Its fields are the conditions of all links, those of a host with itself included; they may be
 * changed at any time. Every host is known by its name and its address; `"localhost"` and
 * `127.0.0.1` are the host itself.
 *
 * A fault that loses packets does not break a connection: what is lost is sent again, as by TCP,
 * after 0.2 seconds first and then in ever longer intervals, until it times out after 15 minutes
 * (2 minutes for a connect). So a connection outlives a short partition, and is late after it.
 *
 * @category Simulation
 *
 * @example A connection that outlives a partition
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Protocol, sleep, type Transport } from "@gyre/asyncio";
 * import { simulate } from "@gyre/asyncio/simulation";
 *
 * const heard = await simulate(async ({ loop, network, host }) => {
 *   const server = host("server");
 *   const text = loop.createFuture<string>();
 *   await server.run(() =>
 *     server.loop.createServer(() => ({
 *       dataReceived: (data) => text.setResult(new TextDecoder().decode(data)),
 *     }), { port: 80 })
 *   );
 *   const [transport] = await loop.createConnection(() => new Protocol(), {
 *     hostname: "server",
 *     port: 80,
 *   });
 *   network.partition("main", "server");
 *   transport.write(new TextEncoder().encode("late"));
 *   await sleep(10);
 *   assertEquals(text.done(), false);
 *   network.heal();
 *   return await text;
 * });
 * assertEquals(heard, "late");
 * ```
 */
export class SimulatedNetwork implements LinkConditions {
  /** How long a packet travels, in seconds. */
  latency: number = DEFAULT_CONDITIONS.latency;
  /** How much longer it may travel, at random, in seconds. */
  jitter: number = DEFAULT_CONDITIONS.jitter;
  /** Bytes for each second and direction. */
  bandwidth: number = DEFAULT_CONDITIONS.bandwidth;
  /** The probability that a packet is lost. What belongs to a connection is sent again. */
  loss: number = DEFAULT_CONDITIONS.loss;
  /** The probability that a datagram arrives twice. */
  duplicate: number = DEFAULT_CONDITIONS.duplicate;
  /** The probability that a datagram is overtaken by later ones. */
  reorder: number = DEFAULT_CONDITIONS.reorder;
  /** The probability that a write arrives in two pieces. */
  fragment: number = DEFAULT_CONDITIONS.fragment;
  /** Bytes that kernels hold between a writer and a slow reader. */
  bufferSize: number = DEFAULT_CONDITIONS.bufferSize;

  readonly #hosts: Map<string, Host> = new Map();
  readonly #hostsByAddress: Map<string, Host> = new Map();
  readonly #links: Map<string, LinkConditions> = new Map();
  readonly #connections: Set<Connection> = new Set();
  readonly #wire: Wire;
  readonly #localWire: Wire;
  readonly #backbone: Backbone;

  /** @ignore */
  constructor(world: World, conditions: Partial<LinkConditions> = {}) {
    Object.assign(this, conditions);
    const { clock } = world;
    const note = world.trace === null ? null : (event: string) => world.note("network", event);
    this.#wire = new Wire(clock, world.seeds.derive("network"), {
      conditions: (from, to) => {
        return this.#links.size === 0 ? this : this.#links.get(directionOf(from, to)) ?? this;
      },
      note,
      tellsBytes: world.web !== null,
    });
    this.#localWire = new Wire(clock, world.seeds.derive("local"), {
      conditions: () => LOCAL_CONDITIONS,
      note,
      tellsBytes: world.web !== null,
    });
    this.#backbone = this.#createBackbone(world);
  }

  /**
   * Sets what the links between two hosts are like, in both directions. What is left out stays as
   * the whole network has it now.
   */
  setLink(one: HostNames, other: HostNames, conditions: Partial<LinkConditions>): void {
    checkOptions("set a link", conditions, LINK);
    for (const direction of this.#directions(one, other)) {
      const base = this.#links.get(direction) ?? copyConditions(this);
      this.#links.set(direction, { ...base, ...conditions });
    }
  }

  /**
   * Adds a fault that decides about each packet. Rules are asked in the order in which they were
   * added; the first that does not say `"pass"` decides.
   *
   * @returns What removes the rule.
   */
  addRule(rule: FaultRule): () => void {
    this.#wire.rules.add(rule);
    return () => this.#wire.rules.delete(rule);
  }

  /**
   * Cuts the links between hosts: packets between them are lost, in both directions, until
   * {@linkcode heal}.
   *
   * @param one Hosts on one side.
   * @param other Hosts on the other side; all others by default.
   */
  partition(one: HostNames, other?: HostNames): void {
    for (const direction of this.#directions(one, other)) this.#wire.cut.add(direction);
  }

  /** Cuts the link from one host to another, and not the way back. */
  partitionOneWay(from: HostNames, to: HostNames): void {
    for (const direction of this.#directionsOneWay(from, to)) this.#wire.cut.add(direction);
  }

  /** Mends the links between hosts that {@linkcode partition} has cut; all links by default. */
  heal(one?: HostNames, other?: HostNames): void {
    const directions = one === undefined ? [...this.#wire.cut] : this.#directions(one, other);
    for (const direction of directions) this.#wire.cut.delete(direction);
  }

  /** Keeps the packets between hosts on their way, until {@linkcode release}. */
  hold(one: HostNames, other?: HostNames): void {
    for (const direction of this.#directions(one, other)) {
      if (!this.#wire.held.has(direction)) this.#wire.held.set(direction, []);
    }
  }

  /** Lets the packets go that {@linkcode hold} has kept, in their order; all links by default. */
  release(one?: HostNames, other?: HostNames): void {
    const { held } = this.#wire;
    const directions = one === undefined ? [...held.keys()] : this.#directions(one, other);
    for (const direction of directions) {
      const packets = held.get(direction) ?? [];
      held.delete(direction);
      for (const send of packets) send();
    }
  }

  /** Resets the connections between hosts: both ends find them broken. */
  reset(one: HostNames, other?: HostNames): void {
    for (const connection of this.#connectionsBetween(one, other)) connection.reset();
  }

  /**
   * Makes the connections between hosts half open: `host` has forgotten them, and its programs
   * find them broken; the other end learns of it when it sends something.
   */
  halfOpen(host: string, other?: HostNames): void {
    for (const connection of this.#connectionsBetween(host, other)) connection[inside.forget](host);
  }

  /** @ignore Adds a host. The first address is the one that it sends from. */
  [inside.addHost](name: string, addresses: readonly string[]): Host {
    const host: Host = new HostStack(name, addresses);
    this.#hosts.set(name, host);
    for (const address of addresses) this.#hostsByAddress.set(address, host);
    return host;
  }

  /** @ignore Returns the network as the host called `name` sees it. */
  [inside.networkOf](name: string): Network {
    const host = this.#hosts.get(name) as Host;
    host.isUp = true;
    return new HostNetwork(host, this.#backbone);
  }

  /** @ignore Returns what carries the pipes between processes of the host called `name`. */
  [inside.pipesOf](name: string): { stack: Host; wire: Wire } {
    return { stack: this.#hosts.get(name) as Host, wire: this.#localWire };
  }

  /** @ignore The host called `name` has crashed. One that was killed has a kernel that resets. */
  [inside.crash](name: string, isKilled: boolean): void {
    if (isKilled) { for (const connection of this.#connections) connection[inside.reset](name); }
    this.#hosts.get(name)?.crash();
  }

  /** @ignore Nothing runs on the host called `name` until `time`. */
  [inside.pause](name: string, time: number): void {
    this.#wire.pause(name, time);
    this.#localWire.pause(name, time);
  }

  /** The names of all hosts, in the order in which they were created. */
  get hostNames(): readonly string[] {
    return [...this.#hosts.keys()];
  }

  #createBackbone({ clock }: World): Backbone {
    return {
      unreachableAfter: 3,
      addressesOf: (name) => this.#hosts.get(name)?.addresses,
      nameOf: (address) => this.#hostsByAddress.get(address)?.name ?? null,
      hostAt: (address) => this.#hostsByAddress.get(address),
      connect: (loop, medium, options) => this.#connect(loop, medium, options),
      sendDatagram: (from, bytes, source, destination) => {
        for (const to of this.#receiversOf(from, destination)) {
          this.#sendDatagram(from, to, bytes, source, destination);
        }
      },
      later: (delay, callback) => void clock.schedule(clock.now() + delay, callback),
    };
  }

  #connect(
    loop: EventLoop,
    medium: "network" | "local",
    options: ConnectionOptions,
  ): Connection {
    const wire = medium === "local" ? this.#localWire : this.#wire;
    const connection: Connection = new Connection(wire, loop, {
      ...options,
      over: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    return connection;
  }

  #receiversOf(from: Host, { hostname }: Deno.NetAddr): Host[] {
    if (hostname === BROADCAST) return [...this.#hosts.values()];
    if (isLoopback(hostname) || isWildcard(hostname)) return [from];
    const host = this.#hostsByAddress.get(hostname);
    return host === undefined ? [] : [host];
  }

  #sendDatagram(
    from: Host,
    to: Host,
    bytes: Uint8Array,
    source: Deno.NetAddr,
    destination: Deno.NetAddr,
  ): void {
    const packet = {
      from: from.name,
      to: to.name,
      kind: "datagram",
      source,
      destination,
      bytes,
    } as const;
    this.#wire.send(packet, {
      lane: null,
      arrived: () => {
        const { hostname, port } = destination;
        const target = hostname === BROADCAST ? to.addresses[0] as string : hostname;
        if (to.isUp) to.datagrams.find(target, port)?.deliver(packet);
      },
      lost: () => {},
    });
  }

  #connectionsBetween(one: HostNames, other?: HostNames): Connection[] {
    const directions = new Set(this.#directions(one, other));
    return [...this.#connections].filter(({ hosts: [client, server] }) => {
      return directions.has(directionOf(client, server));
    });
  }

  #directions(one: HostNames, other?: HostNames): string[] {
    return [...this.#directionsOneWay(one, other), ...this.#directionsOneWay(other, one)];
  }

  #directionsOneWay(from: HostNames | undefined, to: HostNames | undefined): string[] {
    const senders = this.#listHosts(from, to);
    const receivers = this.#listHosts(to, from);
    return senders.flatMap((sender) => receivers.map((receiver) => directionOf(sender, receiver)));
  }

  /** Returns the names; if there are none, those of all hosts that are not on the `otherSide`. */
  #listHosts(names: HostNames | undefined, otherSide: HostNames | undefined): readonly string[] {
    if (names !== undefined) return typeof names === "string" ? [names] : names;
    const others = typeof otherSide === "string" ? [otherSide] : otherSide ?? [];
    return [...this.#hosts.keys()].filter((name) => !others.includes(name));
  }
}

function copyConditions(from: LinkConditions): LinkConditions {
  const { latency, jitter, bandwidth, loss, duplicate, reorder, fragment, bufferSize } = from;
  return { latency, jitter, bandwidth, loss, duplicate, reorder, fragment, bufferSize };
}
