/** The Replay views: a session against an in-memory CGN, at any instant of it. Loaded when it is asked for. */
import type { Signal } from "@preact/signals"
import { useEffect, useState } from "preact/hooks"
import type { Session } from "../model/session/index.ts"
import { ClientPanel } from "./client.tsx"
import { Configuration } from "./configuration.tsx"
import { Changes, Counters, Subscribers } from "./counts.tsx"
import { SESSION_EXAMPLES_BY_ID } from "./examples.ts"
import { Futures } from "./futures.tsx"
import { useIntake } from "./intake.ts"
import { useKeys } from "./keys.ts"
import { Mappings } from "./mappings.tsx"
import { SelectedPacket } from "./packet.tsx"
import { Ports } from "./ports.tsx"
import "./replay.css"
import { usePlay } from "./play.ts"
import { createRoom, type Room, type Stage } from "./room.ts"
import { Sequence } from "./sequence.tsx"
import { SessionBar } from "./session-bar.tsx"
import { SessionText } from "./session-text.tsx"
import { Tabs } from "./tabs.tsx"
import { Transport } from "./transport.tsx"

export interface ReplayProps {
  /** What is replayed; written when it is edited here. */
  readonly session: Signal<Session | undefined>
  /** Opens a packet in Inspect. */
  readonly onOpenPacket: (bytes: Uint8Array) => void
}

const TABS = ["Sequence", "Compare", "CGN", "Client", "Session text"] as const
type Tab = (typeof TABS)[number]

export const Replay = ({ session, onOpenPacket }: ReplayProps) => {
  const [room] = useState(() => createRoom(session))
  const [tab, setTab] = useState<Tab>("Sequence")
  useEffect(() => {
    // A first visit finds an example open, not an empty page.
    if (session.peek() === undefined) session.value = SESSION_EXAMPLES_BY_ID.get("home")?.()
    const forget = session.subscribe((wanted) => room.load(wanted))
    return () => {
      forget()
      room.stop()
    }
  }, [room, session])
  usePlay(room)
  useKeys(room)
  useIntake(room)
  const isReady = room.replay.value !== undefined
  return (
    <div class="rv">
      <SessionBar room={room} />
      <Transport room={room} />
      <Notice room={room} />
      <Tabs label="replay" names={TABS} chosen={tab} onChoose={setTab}>
        {tab === "Session text" ? (
          <SessionText room={room} />
        ) : tab === "Client" ? (
          <ClientPanel room={room} onOpen={onOpenPacket} />
        ) : (
          <div class="rv-columns">
            <div class="rv-main">
              {tab === "Sequence" && isReady ? <Sequence room={room} /> : null}
              {tab === "Compare" ? <Futures room={room} /> : null}
              {tab === "CGN" ? <Configuration room={room} /> : null}
            </div>
            <Panels room={room} onOpen={onOpenPacket} />
          </div>
        )}
      </Tabs>
    </div>
  )
}

const Notice = ({ room }: { readonly room: Room }) => {
  const progress = room.progress.value
  const fault = room.fault.value
  return (
    <div role="status" class="rv-status">
      {progress === undefined ? null : `at work on the session: ${progress} so far`}
      {fault === undefined ? null : <p class="rv-fault">This cannot be played: {fault}</p>}
      {room.replay.value?.cut === true ? "More would have happened than is kept: the replay is cut short." : null}
    </div>
  )
}

/** What is so at the instant that is looked at. */
export const Panels = ({ room, onOpen }: { readonly room: Stage; readonly onOpen: (bytes: Uint8Array) => void }) => {
  const view = room.view.value
  const replay = room.replay.value
  if (view === undefined || replay === undefined) return null
  return (
    <div class="rv-panels">
      <section aria-labelledby="rv-h-mappings">
        <h2 id="rv-h-mappings">
          mappings <span class="rv-quiet rv-mono">{view.mappings.length}</span>
        </h2>
        <Mappings view={view} />
      </section>
      <section aria-labelledby="rv-h-packet">
        <h2 id="rv-h-packet">selected packet</h2>
        <SelectedPacket room={room} onOpen={onOpen} />
      </section>
      <section aria-labelledby="rv-h-changes">
        <h2 id="rv-h-changes">changes</h2>
        <Changes replay={replay} view={view} />
      </section>
      <section aria-labelledby="rv-h-ports">
        <h2 id="rv-h-ports">ports</h2>
        <Ports replay={replay} view={view} />
      </section>
      <section aria-labelledby="rv-h-counters">
        <h2 id="rv-h-counters">
          counters{" "}
          <span class="rv-quiet">
            epoch <span class="rv-mono">{view.epoch}</span> s
          </span>
        </h2>
        <Counters view={view} />
      </section>
      <section aria-labelledby="rv-h-subscribers">
        <h2 id="rv-h-subscribers">subscribers</h2>
        <Subscribers view={view} />
      </section>
    </div>
  )
}
