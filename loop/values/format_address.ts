/** Writes a host and a port as in a URL and in a list of permissions. */
export function formatAddress({ hostname, port }: { hostname: string; port: number }): string {
  return `${formatHost(hostname)}:${port}`;
}

/** Writes a host in the same way: an IPv6 address in brackets. */
export function formatHost(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
