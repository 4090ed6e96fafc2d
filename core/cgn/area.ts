import { word } from "../table/index.ts"
import { type Area, blocksOf, findBlock, type Host, isBlockOf } from "./block.ts"
import { deterministicRange } from "./deterministic.ts"
import { type Step, SUBSCRIBER, Subscriber } from "./layout.ts"
import { pairedAddress } from "./ports.ts"
import type { PortRange } from "./rule.ts"
import { groupAddress } from "./subscriber.ts"

/**
 * Which ports a host may have where ports are assigned to subscribers: its range (RFC 7422 section 2, step 3), which goes
 * first, and its blocks, the newest first.
 */
export const areasOf = (step: Step, host: Host): readonly Area[] => {
  const range = rangeOf(step, host)
  const blocks = blocksOf(step, host)
  return range === undefined ? blocks : [range, ...blocks]
}

/** The range that is a host's own without having been asked for. */
const rangeOf = ({ config }: Step, { internal, realm }: Host): Area | undefined => {
  const range = config.plan === undefined ? undefined : deterministicRange(config.plan, internal, realm)
  return range && { external: config.pool[range.place], first: range.first, last: range.last }
}

const isIn = ({ first, last }: PortRange, port: number): boolean => port >= first && port <= last

/** May a host have mappings at all? */
export const isServed = ({ config }: Pick<Step, "config">, { internal, realm }: Host): boolean =>
  config.plan === undefined || deterministicRange(config.plan, internal, realm) !== undefined

/** May a host have this port of an address, be it free or not? `true` where ports are not assigned to subscribers. */
export const isAssigned = (step: Step, host: Host, external: number, port: number): boolean => {
  if (step.config.assignment.kind === "random") return true
  const range = rangeOf(step, host)
  if (range !== undefined && range.external === external && isIn(range, port)) return true
  const block = findBlock(step, external, port)
  return block !== 0 && isBlockOf(step, block, host)
}

/** The ports around one of a host's that are all its own, or without such an assignment, everybody's. */
export const boundsAt = (step: Step, host: Host, external: number, port: number): PortRange =>
  step.config.assignment.kind === "random"
    ? step.config.ports
    : (areasOf(step, host).find((area) => area.external === external && isIn(area, port)) ?? {
        first: port,
        last: port,
      })

/**
 * The number of the address that a host's next mapping goes to where ports are assigned to subscribers: that of its range
 * or its blocks, then that of its other mappings, `subscriber` being its row if anything wants it, else 0; then the one
 * that its subscriber is paired with.
 */
export const assignedAddress = (step: Step, host: Host, subscriber: number): number => {
  const { table, config } = step
  const [first] = areasOf(step, host)
  if (first !== undefined) return first.external
  const own = subscriber === 0 ? -1 : word(table, SUBSCRIBER, subscriber, Subscriber.EXTERNAL) - 1
  if (config.inPool[own]) return own
  return pairedAddress(config, groupAddress(config, host.internal, host.realm), host.realm)
}
