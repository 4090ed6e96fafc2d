/** A plugin that does what a test tells it, and the instances around it. */
import assert from "node:assert/strict"
import {
  activate,
  createInstance,
  createVarpd,
  Destination,
  macOf,
  type Outcome,
  type PluginDefinition,
  type PluginEffect,
  type PluginOps,
  registerPlugin,
  type TargetPoint,
  type Varpd,
} from "../../../../core/overlay/index.ts"
import { type Address, parseAddress } from "../../../../core/wire/index.ts"

export const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined, text)
  return parsed
}

export const value = <T>(outcome: Outcome<T>): T => {
  assert.ok(outcome.ok, outcome.ok ? "" : `${outcome.error}: ${outcome.text}`)
  return outcome.value
}
export const error = (outcome: Outcome<unknown>): string | undefined => (outcome.ok ? undefined : outcome.error)

export const POINT: TargetPoint = { address: address("10.88.88.69"), port: 4789 }
export const MAC = macOf(0xdeadbeef0002)
export const VXLAN = Destination.IP | Destination.PORT

/** What is called, in order. */
export type Called = readonly string[]

/** What the plugin does when it is called, by the operation's name. */
export type Script = Partial<Record<string, (argument: number) => readonly PluginEffect[]>>

/** Its state is what was called. */
export const scripted = (script: Script, changes: Partial<PluginOps<Called>> = {}): PluginDefinition<Called> => {
  const did = (state: Called, name: string, argument = 0): readonly [Called, readonly PluginEffect[]] => [
    [...state, name],
    script[name]?.(argument) ?? [],
  ]
  return {
    name: "scripted",
    version: 1,
    mode: "dynamic",
    ops: {
      create: () => ({ ok: true, value: ["create"] }),
      start: (state) => ({ ok: true, value: did(state, "start") }),
      stop: (state) => did(state, "stop"),
      lookup: (state, lookup) => did(state, "lookup", lookup),
      arp: (state, request) => did(state, "arp", request),
      dhcp: (state, request) => did(state, "dhcp", request),
      input: (state) => did(state, "input"),
      properties: () => [],
      get: () => new Uint8Array(0),
      set: (state) => ({ ok: true, value: state }),
      save: (state) => ({ called: state.join() }),
      restore: (saved) => ({ ok: true, value: `${saved.called}`.split(",") }),
      ...changes,
    },
  }
}

/** One instance, number 1 on link 7, activated. */
export const activated = (definition: PluginDefinition<Called>): Varpd => {
  const varpd = createVarpd(value(registerPlugin(new Map(), definition)))
  const [made, id] = value(createInstance(varpd, { link: 7, plugin: "scripted", vnetid: 23, destination: VXLAN }))
  assert.equal(id, 1)
  const [next, result] = activate(made, 1, { files: new Map(), now: 0 })
  assert.ok(result.ok)
  return next
}
