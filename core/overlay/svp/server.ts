import { sha256 } from "@noble/hashes/sha2.js"
import { isIpv4, u32 } from "../../wire/index.ts"
import { done, failed, type Outcome } from "../failure.ts"
import { MAX_VNETID } from "../frame/vxlan.ts"
import type { Mac } from "../mac.ts"
import { isPoint } from "../point.ts"
import {
  createSvpHosts,
  type SvpHost,
  type SvpHosts,
  svpHostAt,
  svpHostList,
  svpHostOf,
  withoutSvpHost,
  withSvpHost,
} from "./hosts.ts"
import { EMPTY_SVP_LOG, type SvpChange, type SvpServerLog, withLine } from "./server-log.ts"

/** What makes a server. */
export interface SvpServerOptions {
  /** Any octets that nobody else knows: the index of hosts and the UUIDs of records are keyed with them. */
  readonly seed: Uint8Array
  /** The highest version that is spoken, 1 or 2; left out, 2. Version 2 adds routes, of which this server knows none. */
  readonly version?: 1 | 2
  /** Most connections; left out, 1024. One more is closed at once. */
  readonly connections?: number
  /** Milliseconds, on the clock of all later inputs. */
  readonly now: number
}

/** One client's connection. */
export interface SvpSession {
  /** The beginning of a message that is not whole. */
  readonly held: Uint8Array
  /** Since when that waits for its rest, milliseconds. */
  readonly since: number
}

/** A server: plain data that is never written to again, but for its hosts, which are a handle. */
export interface SvpServer {
  /** As given, with defaults. */
  readonly options: Required<SvpServerOptions>
  /** Who lives where. */
  readonly hosts: SvpHosts
  /** What has changed, for who reads it. */
  readonly log: SvpServerLog
  /** Clients by the number of their connection. */
  readonly sessions: ReadonlyMap<number, SvpSession>
  /** The instant of the last input, milliseconds. */
  readonly now: number
}

/** What happens to a server. `now`, milliseconds, is in each. */
export type SvpServerInput = { readonly now: number } & (
  | { readonly type: "tick" }
  /** A client has connected; `connection` is the caller's number for it. */
  | { readonly type: "accepted"; readonly connection: number }
  | { readonly type: "data"; readonly connection: number; readonly bytes: Uint8Array }
  /** The client sends no more (it has half-closed), or the connection is gone. */
  | { readonly type: "ended" | "closed"; readonly connection: number }
  /** A host is there, or is elsewhere now. */
  | { readonly type: "put"; readonly host: SvpHost }
  | { readonly type: "remove"; readonly vnetid: number; readonly mac: Mac }
  /** These are all hosts. */
  | { readonly type: "replace"; readonly hosts: readonly SvpHost[] }
)

/** What a server wants done. */
export type SvpServerEffect =
  | { readonly type: "send"; readonly connection: number; readonly bytes: Uint8Array }
  /** After all that was sent there. */
  | { readonly type: "close"; readonly connection: number }
  /** A host that cannot be: a vnetid of more than 24 bits, a point that no frame can go to, addresses of the other family. */
  | { readonly type: "refused"; readonly error: "EINVAL"; readonly text: string }
  /** The hosts have changed, in so many ways that clients are told of. */
  | { readonly type: "changed"; readonly changes: readonly SvpChange[] }
  /** For the log of whoever runs it. `connection` where it is about one. */
  | { readonly type: "warning"; readonly connection: number | undefined; readonly text: string }
  /** Come back with a tick at this instant, milliseconds; at none: when something happens. The last effect of each step. */
  | { readonly type: "wake"; readonly at: number | undefined }

/** A server without hosts and clients. */
export const createSvpServer = (options: SvpServerOptions): SvpServer => {
  const octets = sha256.create().update(options.seed).update(Uint8Array.of(0)).digest()
  return {
    options: { version: 2, connections: 1024, ...options },
    hosts: createSvpHosts([u32(octets, 0), u32(octets, 4)]),
    log: EMPTY_SVP_LOG,
    sessions: new Map(),
    now: options.now,
  }
}

/** A host as it is given, if it can be. */
export const checkSvpHost = (host: SvpHost): Outcome<SvpHost> => {
  const { vnetid, target, arp, ndp, vlan } = host
  if (!Number.isInteger(vnetid) || vnetid < 0 || vnetid > MAX_VNETID) return failed("EINVAL", `no vnetid: ${vnetid}`)
  if (!isPoint(target)) return failed("EINVAL", "no frame can be sent to the host's target")
  if (arp !== undefined && !isIpv4(arp)) return failed("EINVAL", "arp is an IPv4 address")
  if (ndp !== undefined && isIpv4(ndp)) return failed("EINVAL", "ndp is an IPv6 address")
  if (!Number.isInteger(vlan) || vlan < 0 || vlan > 4095) return failed("EINVAL", `no VLAN: ${vlan}`)
  return done(host)
}

/** Hosts and log of a server while a step changes them. */
export interface SvpRegister {
  hosts: SvpHosts
  log: SvpServerLog
  readonly now: number
  readonly changes: SvpChange[]
}

const note = (register: SvpRegister, change: SvpChange): void => {
  register.changes.push(change)
  register.log = withLine(register.log, change, register.now)
}

/**
 * Puts a host. What clients may know of it and is no longer so becomes a line of the log: a MAC that lives elsewhere, and an address that
 * another MAC had. What nobody could know needs none.
 */
export const putHost = (register: SvpRegister, host: SvpHost): void => {
  const { vnetid, mac, target, vlan } = host
  const before = svpHostOf(register.hosts, vnetid, mac)
  const moved = [host.arp, host.ndp].filter((address) => {
    const holder = address === undefined ? undefined : svpHostAt(register.hosts, vnetid, address)
    return holder !== undefined && holder.mac !== mac
  })
  register.hosts = withSvpHost(register.hosts, host)
  if (before !== undefined && (before.target.address !== target.address || before.target.port !== target.port))
    note(register, { kind: "vl2", vnetid, mac })
  for (const address of moved) if (address !== undefined) note(register, { kind: "vl3", vnetid, address, vlan })
}

/** Removes a host, of which clients are told. */
export const removeHost = (register: SvpRegister, vnetid: number, mac: Mac): void => {
  if (svpHostOf(register.hosts, vnetid, mac) === undefined) return
  register.hosts = withoutSvpHost(register.hosts, vnetid, mac)
  note(register, { kind: "vl2", vnetid, mac })
}

/** Makes these all hosts: the last one of a MAC counts. */
export const replaceHosts = (register: SvpRegister, hosts: readonly SvpHost[]): void => {
  // Put first, so that an address that moves from one that goes is seen to move.
  for (const host of hosts) putHost(register, host)
  const kept = new Map<number, Set<Mac>>()
  for (const { vnetid, mac } of hosts) {
    const macs = kept.get(vnetid) ?? new Set()
    kept.set(vnetid, macs.add(mac))
  }
  for (const { vnetid, mac } of svpHostList(register.hosts))
    if (kept.get(vnetid)?.has(mac) !== true) removeHost(register, vnetid, mac)
}
