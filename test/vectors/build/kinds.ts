/** Kinds of device that choose external ports. */
export const NATS = ["nat444", "nat64", "nat46", "dslite", "l2dslite"] as const
/** Kinds that have no state of their own for ports: external and internal end are one. */
export const FIREWALLS = ["firewall4", "firewall6"] as const
/** Kinds with IPv4 on the inside and the outside. */
export const IPV4 = ["nat444", "firewall4", "dslite", "l2dslite"] as const
/** Kinds with mappings of their own, and so with nonces that mappings remember: all but the stateless one. */
export const STATEFUL = [...NATS, ...FIREWALLS] as const
