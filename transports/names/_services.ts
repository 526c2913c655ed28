/** Names of ports that programs use, as `/etc/services` has them; reading that wants a permission. */
const SERVICES: Readonly<Record<string, number>> = {
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  domain: 53,
  tftp: 69,
  http: 80,
  kerberos: 88,
  pop3: 110,
  ntp: 123,
  imap2: 143,
  snmp: 161,
  ldap: 389,
  https: 443,
  submissions: 465,
  syslog: 514,
  submission: 587,
  ldaps: 636,
  "domain-s": 853,
  ftps: 990,
  imaps: 993,
  pop3s: 995,
  "ms-sql-s": 1433,
  mqtt: 1883,
  nfs: 2049,
  mysql: 3306,
  postgresql: 5432,
  amqp: 5672,
  redis: 6379,
  "http-alt": 8080,
  memcached: 11211,
};

/** Returns the port that `service` names, or `null`. */
export function portOf(service: string): number | null {
  if (/^\d+$/.test(service)) return Number(service);
  return Object.hasOwn(SERVICES, service) ? SERVICES[service] as number : null;
}

/** Returns the name of `port`, or the port as text. */
export function serviceOf(port: number): string {
  for (const [service, number] of Object.entries(SERVICES)) if (number === port) return service;
  return String(port);
}
