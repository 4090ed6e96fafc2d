import { computed, effect, type ReadonlySignal, type Signal, signal, untracked } from "@preact/signals"
import type { FlowPorts } from "../../core/flow/index.ts"
import { ANY4 } from "../../core/wire/index.ts"
import type { OpenedCapture } from "../model/capture/index.ts"
import { beginHistory, canRedo, canUndo, type Edited, type History, record, redo, undo } from "../model/edit/index.ts"
import { fieldAt, type Inspection, inspect, type ProfileName, pathTo, type Role } from "../model/inspect/index.ts"
import { directionOf, type Opened, type OpenedPacket, portsOf } from "../model/open/index.ts"

/** What is open, and where it is from. */
export interface Work {
  /** Changes with every opening, so that views of the last one are not taken for views of this one. */
  readonly number: number
  /** What it was taken for, or the example's title. */
  readonly title: string
  /** Why somebody would look at it; empty for what was pasted. */
  readonly why: string
  readonly opened: Opened
  /** Made by a worker with the packets; `undefined`: not yet, or one packet alone. */
  readonly capture: OpenedCapture["capture"] | undefined
}

const NO_PACKET: OpenedPacket = { bytes: new Uint8Array(0), direction: undefined }

/** The Inspector's state: what is open, which packet and field of it is chosen, and every edit with the way back. */
export interface Workbench {
  readonly work: ReadonlySignal<Work>
  /** Place of the packet that is looked at. */
  readonly packetIndex: ReadonlySignal<number>
  /** With its edits. */
  readonly packet: ReadonlySignal<OpenedPacket>
  readonly inspection: ReadonlySignal<Inspection>
  readonly profile: Signal<ProfileName>
  readonly role: Signal<Role>
  /** Id of the field that is chosen. */
  readonly selected: ReadonlySignal<number>
  readonly hovered: Signal<number | undefined>
  /** Ids of the leaves that are marked: the hovered field's, or else the chosen one's. */
  readonly marked: ReadonlySignal<ReadonlySet<number>>
  /** Groups that are folded, by their ids. */
  readonly folded: Signal<ReadonlySet<number>>
  /** Field whose value is being typed over. */
  readonly editing: Signal<number | undefined>
  /** One sentence for whoever looks or listens: what was done, or why not. */
  readonly said: Signal<string>
  readonly canUndo: ReadonlySignal<boolean>
  readonly canRedo: ReadonlySignal<boolean>
  readonly isEdited: ReadonlySignal<boolean>
  readonly show: (opened: Opened, more?: { title?: string; why?: string; capture?: Work["capture"] }) => void
  /** Opens one packet that was made here, or that came without more than its ports. */
  readonly showBytes: (bytes: Uint8Array, title: string, ports?: FlowPorts) => void
  /** Adds the list of what is open. */
  readonly list: (capture: OpenedCapture["capture"]) => void
  readonly choosePacket: (index: number) => void
  readonly select: (field: number) => void
  /** Takes what an edit came to; says why there is none. */
  readonly edit: (edited: Edited, done?: string) => boolean
  readonly undo: () => void
  readonly redo: () => void
  readonly packetAt: (index: number) => OpenedPacket
}

export const createWorkbench = (): Workbench => {
  const work = signal<Work>({
    number: 0,
    title: "",
    why: "",
    opened: { takenFor: "nothing yet", otherwise: [], packets: [], unread: [] },
    capture: undefined,
  })
  const packetIndex = signal(0)
  /** Histories of the packets that were edited, by their places. */
  const histories = signal<ReadonlyMap<number, History<Uint8Array>>>(new Map())
  const profile = signal<ProfileName>("any")
  const role = signal<Role>("either")
  const chosen = signal(0)
  const hovered = signal<number | undefined>(undefined)
  const folded = signal<ReadonlySet<number>>(new Set())
  const editing = signal<number | undefined>(undefined)
  const said = signal("")
  /** What was said last of an edit: of another packet it says nothing. */
  let saidOfEdit = ""
  const sayOfEdit = (text: string): void => {
    saidOfEdit = text
    said.value = text
  }

  const packetAt = (index: number): OpenedPacket => {
    const original = work.value.opened.packets[index] ?? NO_PACKET
    const bytes = histories.value.get(index)?.present ?? original.bytes
    return bytes === original.bytes
      ? original
      : { ...original, bytes, direction: directionOf(bytes, portsOf(original)) }
  }
  const packet = computed(() => packetAt(packetIndex.value))
  const inspection = computed(() => {
    const { bytes, source, direction } = packet.value
    const ports = portsOf(packet.value)
    return inspect(bytes, {
      profile: profile.value,
      role: role.value,
      source: direction === "request" ? source?.address : undefined,
      ports,
    })
  })
  const selected = computed(() => Math.min(chosen.value, inspection.value.fields.length - 1))
  const marked = computed(() => {
    const { fields } = inspection.value
    const top = hovered.value ?? selected.value
    const leaves = new Set<number>()
    // The message as a whole is no mark: all would be.
    if (top === 0 || fields[top] === undefined) return leaves
    const ids = [top]
    for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
      if (fields[id].children.length === 0) leaves.add(id)
      ids.push(...fields[id].children)
    }
    return leaves
  })

  const history = computed(
    () =>
      histories.value.get(packetIndex.value) ??
      beginHistory((work.value.opened.packets[packetIndex.value] ?? NO_PACKET).bytes),
  )
  /** Other octets: the field at the same bit stays chosen. */
  const keep = (next: History<Uint8Array>): void => {
    const before = inspection.value.fields[selected.value]
    histories.value = new Map(histories.value).set(packetIndex.value, next)
    editing.value = undefined
    hovered.value = undefined
    const same = inspection.value.fields[chosen.value]
    if (before !== undefined && (same?.firstBit !== before.firstBit || same.name !== before.name))
      chosen.value = fieldAt(inspection.value, before.firstBit >>> 3, before.firstBit & 7) ?? 0
  }

  const forgetEdit = (): void => {
    if (said.value === saidOfEdit) said.value = ""
  }

  const choosePacket = (index: number): void => {
    const last = work.value.opened.packets.length - 1
    const next = Math.max(0, Math.min(index, last))
    if (next !== packetIndex.value) forgetEdit()
    packetIndex.value = next
    chosen.value = 0
    hovered.value = undefined
    editing.value = undefined
    folded.value = new Set()
  }

  const show: Workbench["show"] = (opened, { title, why = "", capture } = {}) => {
    work.value = { number: work.value.number + 1, title: title ?? opened.takenFor, why, opened, capture }
    histories.value = new Map()
    forgetEdit()
    choosePacket(0)
  }

  effect(() => {
    // A chosen field is never hidden in a folded group.
    const path = pathTo(inspection.value, selected.value).slice(0, -1)
    const closed = untracked(() => folded.value)
    if (path.some((id) => closed.has(id))) folded.value = new Set([...closed].filter((id) => !path.includes(id)))
  })

  return {
    work,
    packetIndex,
    packet,
    inspection,
    profile,
    role,
    selected,
    hovered,
    marked,
    folded,
    editing,
    said,
    canUndo: computed(() => canUndo(history.value)),
    canRedo: computed(() => canRedo(history.value)),
    isEdited: computed(() => histories.value.size > 0),
    show,
    showBytes: (bytes, title, ports = {}) => {
      const { sourcePort, destinationPort } = ports
      const packet = {
        bytes,
        direction: directionOf(bytes, ports),
        ...(sourcePort === undefined ? {} : { source: { address: ANY4, port: sourcePort } }),
        ...(destinationPort === undefined ? {} : { destination: { address: ANY4, port: destinationPort } }),
      }
      show({ takenFor: title, otherwise: [], packets: [packet], unread: [] })
    },
    list: (capture) => {
      work.value = { ...work.value, capture }
    },
    choosePacket,
    select: (field) => {
      chosen.value = field
      // Where a key moves, a pointer that rests somewhere says nothing.
      hovered.value = undefined
    },
    edit: (edited, done = "changed") => {
      sayOfEdit(edited.ok ? done : edited.text)
      if (edited.ok) keep(record(history.value, edited.bytes))
      return edited.ok
    },
    undo: () => {
      if (canUndo(history.value)) keep(undo(history.value))
      sayOfEdit("undone")
    },
    redo: () => {
      if (canRedo(history.value)) keep(redo(history.value))
      sayOfEdit("redone")
    },
    packetAt,
  }
}
