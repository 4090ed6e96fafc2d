import type { Counters, CounterVector } from "../../../core/cgn/index.ts"
import { Protocol } from "../../../core/wire/index.ts"
import type { ServeSettings } from "../config/settings.ts"
import type { PortUse } from "../device/device.ts"
import type { Numbers } from "./orders.ts"
import type { ShareKind } from "./share.ts"

/** What all workers have counted. */
export const totalCounters = (all: readonly Counters[]): Counters => {
  const sum = (vector: CounterVector) => {
    const counts = new Map<number, number>()
    for (const one of all)
      for (const { index, count } of one[vector]) counts.set(index, (counts.get(index) ?? 0) + count)
    return [...counts].sort(([a], [b]) => a - b).map(([index, count]) => ({ index, count }))
  }
  return {
    operation: sum("operation"),
    result: sum("result"),
    option: sum("option"),
    "natpmp-operation": sum("natpmp-operation"),
    "natpmp-result": sum("natpmp-result"),
    drop: sum("drop"),
    cache: sum("cache"),
    packet: sum("packet"),
  }
}

/** Mappings by kind: what the administrator mapped is in every worker. */
export const totalKinds = (all: readonly Numbers[]): Readonly<Record<string, number>> => {
  const kinds: Record<string, number> = {}
  for (const one of all)
    for (const [kind, count] of Object.entries(one.kinds))
      kinds[kind] = kind === "static" ? Math.max(kinds[kind] ?? 0, count) : (kinds[kind] ?? 0) + count
  return kinds
}

export const totalCount = (all: readonly Numbers[]): number => {
  const statics = all.map(({ kinds }) => kinds.static ?? 0)
  const twice = statics.reduce((sum, count) => sum + count, 0) - Math.max(0, ...statics)
  return all.reduce((sum, { count }) => sum + count, 0) - twice
}

/** The use of the pool, whose addresses each worker has or shares with the others. */
export const totalPool = (all: readonly Numbers[], kind: ShareKind, { cgn }: ServeSettings): Numbers["pool"] => {
  const pools = all.flatMap(({ pool }) => (pool === undefined ? [] : [pool]))
  if (pools.length === 0) return undefined
  const pool = new Set(cgn.external)
  const total = (of: "udp" | "tcp", protocol: number): PortUse => {
    const statics = (cgn.staticMappings ?? []).filter(
      (mapping) => mapping.protocol === protocol && mapping.externalPort !== 0 && pool.has(mapping.external),
    ).length
    const sum = (name: keyof PortUse): number => pools.reduce((all, one) => all + one[of][name], 0)
    return {
      ports: kind === "nothing" ? pools[0][of].ports : sum("ports"),
      // An address that several workers have has its static mappings in each of them.
      taken: sum("taken") - (kind === "addresses" ? 0 : (pools.length - 1) * statics),
    }
  }
  return { addresses: cgn.external.length, udp: total("udp", Protocol.UDP), tcp: total("tcp", Protocol.TCP) }
}
