/** One way to have jobs done by another process. */
export interface Side {
  /** Prepares a queue, and returns what has an echo job done. */
  call(url: string, name: string): Promise<(value: unknown) => Promise<unknown>>;
  /** Works on it, until the process is killed. */
  work(url: string, name: string, concurrency: number): Promise<void>;
}
