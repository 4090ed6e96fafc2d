import { useRef } from "preact/hooks"
import { CGN_KINDS } from "../../core/cgn/index.ts"
import { type Fault, MOST_FAULTS, PRESETS, writeSession } from "../model/session/index.ts"
import { SESSION_EXAMPLES, SESSION_EXAMPLES_BY_ID } from "./examples.ts"
import type { Room } from "./room.ts"

/** Which session it is; another one opened, this one saved. */
export const SessionBar = ({ room }: { readonly room: Room }) => {
  const file = useRef<HTMLInputElement>(null)
  const session = room.session.value
  return (
    <header class="rv-session">
      <div class="rv-title">
        <h2>{session?.title === "" ? "A session without a title" : (session?.title ?? "No session")}</h2>
        <p class="rv-quiet" title={session?.note}>
          {session?.note}
        </p>
      </div>
      <div class="rv-session-controls">
        <label>
          <span>example</span>
          <select
            value=""
            onChange={(event) => {
              const example = SESSION_EXAMPLES_BY_ID.get(event.currentTarget.value)
              event.currentTarget.value = ""
              if (example !== undefined) room.session.value = example()
            }}
          >
            <option value="">choose…</option>
            {SESSION_EXAMPLES.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>kind of CGN</span>
          <select
            value={session?.configuration.kind ?? "nat444"}
            onChange={(event) => {
              const kind = CGN_KINDS.find((one) => one === event.currentTarget.value)
              if (kind !== undefined && session !== undefined)
                room.session.value = { ...session, configuration: PRESETS[kind] }
            }}
          >
            {CGN_KINDS.map((kind) => (
              <option key={kind} value={kind}>
                {KIND_NAMES[kind]}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          disabled={session === undefined}
          title="a session without a step, against this CGN"
          onClick={() => {
            if (session !== undefined) room.session.value = { ...EMPTY, configuration: session.configuration }
          }}
        >
          new
        </button>
        <button type="button" title="or drop or paste it anywhere" onClick={() => file.current?.click()}>
          open…
        </button>
        <input
          ref={file}
          type="file"
          class="rv-unseen"
          tabIndex={-1}
          aria-label="session file"
          accept=".json,application/json"
          onChange={(event) => {
            const input = event.currentTarget
            const [chosen] = input.files ?? []
            if (chosen !== undefined) void room.openFile(chosen)
            input.value = ""
          }}
        />
        <button type="button" disabled={session === undefined} onClick={() => session && save(writeSession(session))}>
          save
        </button>
      </div>
      <Faults faults={room.faults.value} />
    </header>
  )
}

const EMPTY = {
  title: "A new session",
  note: "Nothing happens in it yet: try packets, and keep the future that they make.",
  steps: [],
} as const

export const KIND_NAMES: Readonly<Record<(typeof CGN_KINDS)[number], string>> = {
  nat444: "NAT44 and NAT444",
  dslite: "DS-Lite AFTR",
  nat64: "NAT64",
  nat46: "NAT46",
  nptv6: "NPTv6",
  firewall4: "IPv4 firewall",
  firewall6: "IPv6 firewall",
  l2dslite: "L2-aware NAT",
}

/** What is wrong with a text, each with its place. */
export const Faults = ({ faults }: { readonly faults: readonly Fault[] }) =>
  faults.length === 0 ? null : (
    <div class="rv-faults" role="alert">
      <ul>
        {faults.map(({ path, text }) => (
          <li key={`${path} ${text}`} class="rv-fault">
            {path === "" ? "" : <code>{path}</code>} {text}
          </li>
        ))}
        {faults.length < MOST_FAULTS ? null : <li class="rv-quiet">and perhaps others: so many are told at once</li>}
      </ul>
    </div>
  )

const save = (text: string): void => {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }))
  const link = document.createElement("a")
  link.href = url
  link.download = "session.json"
  link.click()
  URL.revokeObjectURL(url)
}
