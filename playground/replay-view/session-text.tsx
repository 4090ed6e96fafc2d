import { useEffect, useState } from "preact/hooks"
import { type Fault, readSession, writeSession } from "../model/session/index.ts"
import type { Room } from "./room.ts"
import { Faults } from "./session-bar.tsx"

/** Characters that a text box stays quick with. */
const MOST = 300_000

/** The session as its file has it, to be written by hand. */
export const SessionText = ({ room }: { readonly room: Room }) => {
  const session = room.session.value
  const [text, setText] = useState("")
  const [faults, setFaults] = useState<readonly Fault[]>([])
  const [said, setSaid] = useState("")
  useEffect(() => {
    const written = session === undefined ? "" : writeSession(session)
    setText(written.length > MOST ? "" : written)
    setSaid(written.length > MOST ? "this session is too long to be edited here: save it to a file" : "")
    setFaults([])
  }, [session])
  const take = (): void => {
    const read = readSession(text)
    setFaults(read.ok ? [] : read.faults)
    setSaid(read.ok ? `${read.session.steps.length} steps are replayed` : "")
    if (read.ok) room.session.value = read.session
  }
  return (
    <section class="rv-by-hand" aria-label="session as text">
      <p class="rv-quiet">
        Instants are milliseconds, lifetimes seconds, octets hex. What is left out of the configuration is as the kind’s
        preset has it. Ctrl-Enter replays it.
      </p>
      <textarea
        class="rv-mono"
        aria-label="session, JSON"
        spellcheck={false}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) take()
        }}
      />
      <Faults faults={faults} />
      <div class="rv-actions">
        <button type="button" class="rv-primary" onClick={take}>
          replay it
        </button>
        <span role="status">{said}</span>
      </div>
    </section>
  )
}
