/** A message with what is transferred, not copied, when it is sent. */
export interface Parcel {
  /** What is sent. */
  readonly message: unknown;
  /** What of it is transferred. */
  readonly transfer: Transferable[];
}

/**
 * Packs `message` as it is now, to be sent later: changes made meanwhile do not show.
 *
 * @throws {Error} If it cannot be cloned.
 */
export function pack(message: unknown, transfer: Transferable[]): Parcel {
  // The list goes through the clone too, so that it names the objects inside the copy.
  return structuredClone({ message, transfer }, { transfer });
}
