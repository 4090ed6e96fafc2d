import { numberAt, withNumber, withoutNumber } from "../number-map.ts"
import { isPoint } from "../point.ts"
import { askedByArp, gratuitousArp, replyToArp } from "../proxy/arp.ts"
import { isDhcpBroadcast, redirectDhcp } from "../proxy/dhcp.ts"
import { askedByNdp, replyToNdp } from "../proxy/ndp.ts"
import type { VarpdEffect } from "./effect.ts"
import type { PluginEffect } from "./plugin.ts"
import type { PluginMoved } from "./registry.ts"
import type { Instance, OpenLookup, OpenRequest } from "./varpd.ts"

/** One instance while what its plugin wants is being done. */
export interface Run {
  /** As it is now. */
  instance: Instance
  /** What is to be done. */
  readonly effects: VarpdEffect[]
}

/** Does all that a plugin wants, and all that it wants for that. */
export const follow = (run: Run, [plugin, effects]: PluginMoved): void => {
  run.instance = { ...run.instance, plugin }
  for (const effect of effects) act(run, effect)
}

const act = (run: Run, effect: PluginEffect): void => {
  const { id } = run.instance
  switch (effect.type) {
    case "query-reply": {
      const open = openLookup(run, effect.lookup)
      if (open === undefined) return
      const { answer, lookup } = effect
      if (answer.kind === "ok" && !isPoint(answer.found)) fault(run, "an answer is a point that frames can go to")
      close(run, lookup)
      const isGood = answer.kind === "ok" && isPoint(answer.found)
      run.effects.push(isGood ? { type: "respond", id, lookup, target: answer.found } : { type: "drop", id, lookup })
      return
    }
    case "arp-reply":
    case "dhcp-reply":
      reply(run, effect)
      return
    case "proxy-arp":
    case "proxy-ndp":
    case "proxy-dhcp":
      proxy(run, effect)
      return
    case "inject-varp":
      if (effect.target === undefined || isPoint(effect.target))
        run.effects.push({ type: "cache", id, ...of(effect.vnetid), mac: effect.mac, target: effect.target })
      else fault(run, "what is put into the cache is a point that frames can go to")
      return
    case "inject-arp": {
      const frame = gratuitousArp(effect.vlan, effect.mac, effect.address, effect.destination)
      if (frame === undefined) fault(run, "a gratuitous ARP is of an IPv4 address, in a VLAN of 12 bits")
      else run.effects.push({ type: "inject", id, ...of(effect.vnetid), frame })
      return
    }
    case "fma-degrade":
      status(run, truncated(effect.text))
      return
    case "fma-restore":
      status(run, undefined)
      return
    case "outside":
      run.effects.push({ type: "outside", id, request: effect.request })
      return
    case "wake":
      run.effects.push({ type: "wake", id, at: effect.at })
  }
}

const of = (vnetid: number | undefined): { readonly vnetid?: number } => (vnetid === undefined ? {} : { vnetid })

const fault = (run: Run, text: string, error: "EINVAL" | "ENOTSUP" = "EINVAL"): void => {
  run.effects.push({ type: "fault", id: run.instance.id, error, text })
}

/** A lookup that may be ended now; a fault is told where there is none. */
const openLookup = (run: Run, lookup: number): OpenLookup | undefined => {
  const open = numberAt(run.instance.lookups, lookup)
  if (open !== undefined && !open.proxied) return open
  fault(run, open === undefined ? `lookup ${lookup} has its answer, or never was` : `a proxy is at lookup ${lookup}`)
  return undefined
}

const close = (run: Run, lookup: number): void => {
  run.instance = { ...run.instance, lookups: withoutNumber(run.instance.lookups, lookup) }
}

/** The frame that was looked up goes nowhere, whatever else comes of it. */
const drop = (run: Run, lookup: number): void => {
  close(run, lookup)
  run.effects.push({ type: "drop", id: run.instance.id, lookup })
}

const proxy = (run: Run, effect: Extract<PluginEffect, { type: "proxy-arp" | "proxy-ndp" | "proxy-dhcp" }>): void => {
  const open = openLookup(run, effect.lookup)
  if (open === undefined) return
  if (effect.type === "proxy-dhcp") proxyDhcp(run, effect.lookup, open)
  else proxyArp(run, effect.lookup, open, effect.type === "proxy-arp" ? "arp" : "ndp")
}

const proxyDhcp = (run: Run, lookup: number, open: OpenLookup): void => {
  const { dhcp } = run.instance.plugin
  const { query, frame } = open
  if (dhcp === undefined) unable(run, lookup, "the plugin has no operation dhcp")
  else if (isDhcpBroadcast(query, frame)) follow(run, dhcp(request(run, open, { lookup, proxy: "dhcp" }), query.source))
  else drop(run, lookup)
}

const proxyArp = (run: Run, lookup: number, open: OpenLookup, kind: "arp" | "ndp"): void => {
  const { arp } = run.instance.plugin
  const { query, frame } = open
  const address = kind === "arp" ? askedByArp(query, frame) : askedByNdp(query, frame)
  if (arp === undefined) unable(run, lookup, "the plugin has no operation arp")
  else if (address === undefined) drop(run, lookup)
  else follow(run, arp(request(run, open, { lookup, proxy: kind }), address))
}

const unable = (run: Run, lookup: number, text: string): void => {
  fault(run, text, "ENOTSUP")
  drop(run, lookup)
}

/** Opens a request, by which its lookup is the proxy's alone. */
const request = (run: Run, open: OpenLookup, made: OpenRequest): number => {
  const { instance } = run
  const number = instance.nextRequest
  run.instance = {
    ...instance,
    lookups: withNumber(instance.lookups, made.lookup, { ...open, proxied: true }),
    requests: withNumber(instance.requests, number, made),
    nextRequest: number + 1,
  }
  return number
}

const reply = (run: Run, effect: Extract<PluginEffect, { type: "arp-reply" | "dhcp-reply" }>): void => {
  const { instance } = run
  const made = numberAt(instance.requests, effect.request)
  const open = made === undefined ? undefined : numberAt(instance.lookups, made.lookup)
  if (made === undefined || open === undefined || (effect.type === "dhcp-reply") !== (made.proxy === "dhcp")) {
    fault(run, `request ${effect.request} has its answer, or is none of this kind`)
    return
  }
  run.instance = { ...instance, requests: withoutNumber(instance.requests, effect.request) }
  const { answer } = effect
  if (answer.kind === "ok") {
    const make = MAKERS[made.proxy]
    const frame = make(open.query, open.frame, answer.found)
    if (frame !== undefined)
      run.effects.push({ type: made.proxy === "dhcp" ? "resend" : "inject", id: instance.id, frame })
  }
  drop(run, made.lookup)
}

const MAKERS = { arp: replyToArp, ndp: replyToNdp, dhcp: redirectDhcp } as const

const status = (run: Run, text: string | undefined): void => {
  const { instance } = run
  if (instance.degraded === text) return
  run.instance = { ...instance, degraded: text }
  run.effects.push({ type: "status", id: instance.id, text })
  // Another text for the same fault changes nothing for the link. The reference takes down the link of the first of all that are degraded.
  if ((instance.degraded === undefined) !== (text === undefined))
    run.effects.push({ type: "link", id: instance.id, up: text === undefined })
}

/** Octets of a status, with its NUL (`OVERLAY_STATUS_BUFLEN`). */
const STATUS = 256

const truncated = (text: string): string => {
  const octets = new TextEncoder().encode(text)
  if (octets.length < STATUS) return text
  // Not in the middle of a character.
  let end = STATUS - 1
  while (end > 0 && (octets[end] & 0xc0) === 0x80) end--
  return new TextDecoder().decode(octets.subarray(0, end))
}
