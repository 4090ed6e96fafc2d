import { done, failed, type Outcome } from "../failure.ts"
import { numberAt, numbersFrom, withNumber } from "../number-map.ts"
import { isPoint } from "../point.ts"
import type { FrameQuery } from "../proxy/query.ts"
import type { VarpdEffect } from "./effect.ts"
import type { PluginInput, PluginStart } from "./plugin.ts"
import { follow, type Run } from "./run.ts"
import { type Activation, type Instance, instanceOf, saveInstance, type Varpd, withInstance } from "./varpd.ts"

/** What comes of an operation: the next state, and what is to be done, in that order. */
export type VarpdStep = readonly [Varpd, readonly VarpdEffect[]]

/** Runs one instance, and says when the first of all is degraded or the last one is well. */
const run = (varpd: Varpd, instance: Instance, work: (run: Run) => void): VarpdStep => {
  const one: Run = { instance, effects: [] }
  work(one)
  const after = withInstance(varpd, one.instance)
  return one.instance.degraded === instance.degraded ? [after, one.effects] : tellService(varpd, after, one.effects)
}

const isDegraded = ({ instances }: Varpd): boolean =>
  [...instances.values()].some(({ degraded }) => degraded !== undefined)

const tellService = (before: Varpd, after: Varpd, effects: readonly VarpdEffect[]): VarpdStep => {
  const degraded = isDegraded(after)
  return degraded === isDegraded(before) ? [after, effects] : [after, [...effects, { type: "service", degraded }]]
}

/**
 * Starts an instance's plugin and gives what is to be kept and, of point mode, where all frames go. ENOENT: there is none; EEXIST: it is
 * started; or what the plugin says: then it may be tried again. Where the start succeeds and what follows fails (EINVAL: the point is
 * none), or the caller cannot keep or associate it, `destroyInstance` is all that is left.
 */
export const activate = (
  varpd: Varpd,
  id: number,
  start: PluginStart,
): readonly [Varpd, Outcome<Activation>, readonly VarpdEffect[]] => {
  const found = instanceOf(varpd, id)
  if (!found.ok) return [varpd, found, []]
  if (found.value.phase !== "created") return [varpd, failed("EEXIST", `instance ${id} is started`), []]
  const started = found.value.plugin.start(start)
  if (!started.ok) return [varpd, started, []]
  let result: Outcome<Activation> = failed("EINVAL", "no frame can be sent to the plugin's point")
  const [next, effects] = run(varpd, { ...found.value, phase: "started" }, (one) => {
    follow(one, started.value)
    result = activation(one.instance)
    if (result.ok) one.instance = { ...one.instance, phase: "activated" }
  })
  return [next, result, effects]
}

const activation = (instance: Instance): Outcome<Activation> => {
  const saved = saveInstance(instance)
  if (instance.mode === "dynamic") return done({ saved, point: undefined })
  const point = instance.plugin.point()
  if (!point.ok) return point
  return isPoint(point.value)
    ? done({ saved, point: point.value })
    : failed("EINVAL", "no frame can be sent to the plugin's point")
}

/**
 * Ends an instance: its plugin stops, what it was asked is dropped, and what was kept is to be removed. ENOENT: there is none. The
 * reference never destroys one that was not activated; here nothing is left of it.
 */
export const destroyInstance = (varpd: Varpd, id: number): Outcome<VarpdStep> => {
  const found = instanceOf(varpd, id)
  if (!found.ok) return found
  const { phase } = found.value
  const [stopped, effects] = run(varpd, found.value, (one) => {
    if (phase === "created") return
    follow(one, one.instance.plugin.stop())
    for (const [lookup] of numbersFrom(one.instance.lookups)) one.effects.push({ type: "drop", id, lookup })
    one.instance = { ...one.instance, degraded: undefined }
    if (phase === "activated") one.effects.push({ type: "forget", id })
  })
  const instances = new Map(stopped.instances)
  instances.delete(id)
  // Where it alone was degraded, `run` has said that all is well.
  return done([{ ...stopped, instances }, effects])
}

/** Lookups have smaller numbers. */
const LOOKUPS = 2 ** 50

/**
 * Where does a frame go? `lookup` is the caller's number for it, a whole one from 0 to 2^50 - 1, `frame` stays unchanged until the answer. What no activated instance of
 * dynamic mode is asked is dropped, and a number that is under way is a fault.
 */
export const lookup = (varpd: Varpd, id: number, lookup: number, query: FrameQuery, frame: Uint8Array): VarpdStep => {
  const instance = varpd.instances.get(id)
  if (instance?.phase !== "activated" || instance.mode === "point") return [varpd, [{ type: "drop", id, lookup }]]
  if (!Number.isInteger(lookup) || lookup < 0 || lookup >= LOOKUPS)
    return [varpd, [{ type: "fault", id, error: "EINVAL", text: `no lookup has the number ${lookup}` }]]
  if (numberAt(instance.lookups, lookup) !== undefined)
    return [varpd, [{ type: "fault", id, error: "EINVAL", text: `lookup ${lookup} is under way` }]]
  return run(varpd, instance, (one) => {
    const lookups = withNumber(instance.lookups, lookup, { query, frame, proxied: false })
    one.instance = { ...instance, lookups }
    follow(one, instance.plugin.lookup(lookup, query))
  })
}

/** What the world says to an instance's plugin. One that is not started hears nothing. */
export const tell = (varpd: Varpd, id: number, input: PluginInput): VarpdStep => {
  const instance = varpd.instances.get(id)
  if (instance === undefined || instance.phase === "created") return [varpd, []]
  return run(varpd, instance, (one) => follow(one, instance.plugin.input(input)))
}
