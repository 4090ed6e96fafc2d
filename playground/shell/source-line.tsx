import { useRef } from "preact/hooks"
import { toHexdump } from "../../core/wire/text/index.ts"
import { SEVERITY_SIGNS } from "../inspector/findings-view.tsx"
import { openFile, openText } from "./intake.ts"
import type { Opening, PageState } from "./page-state.ts"

const DOING: Readonly<Record<Opening["doing"], string>> = {
  reading: "reading",
  checking: "checking the packets of",
  "handing over": "listing the packets of",
}

/** Octets of packets whose dumps are shown together; of more there is that of the packet that is looked at. */
const MOST_DUMPED = 16_384

/** The text as it was pasted, as long as it says what is open: after an edit, and of what was no text, dumps. */
const shownText = ({ bench, sourceText }: PageState): string => {
  const text = sourceText.value
  const { packets } = bench.work.value.opened
  if (text !== undefined && !bench.isEdited.value) return text
  const octets = packets.slice(0, MOST_DUMPED).reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (octets > MOST_DUMPED) return toHexdump(bench.packet.value.bytes)
  return packets.map((_, i) => toHexdump(bench.packetAt(i).bytes)).join("\n")
}

/** What is open and what it was taken for; what could not be read; and the text itself, to be edited. */
export const SourceLine = ({ page }: { readonly page: PageState }) => {
  const { bench, opening } = page
  const { title, why, opened } = bench.work.value
  const file = useRef<HTMLInputElement>(null)
  const under = opening.value
  const isOpen = page.sourceOpen.value
  return (
    <section class="source" aria-label="Source">
      <div class="source-line">
        <p aria-live="polite">
          <span class="what">{title}</span>
          {why === "" ? null : <span class="why"> {why}</span>}
          {why === "" && opened.otherwise.length > 0 ? (
            <span class="why"> It could also be {opened.otherwise.join(", or ")}.</span>
          ) : null}
        </p>
        <div class="source-tools">
          <span class="hint">paste or drop anything over it</span>
          <button type="button" onClick={() => file.current?.click()}>
            open file
          </button>
          <input
            ref={file}
            type="file"
            hidden
            aria-label="File to open"
            onChange={(event) => {
              const [first] = event.currentTarget.files ?? []
              if (first !== undefined) openFile(page, first)
              event.currentTarget.value = ""
            }}
          />
          <button
            type="button"
            aria-expanded={isOpen}
            onClick={() => {
              page.sourceOpen.value = !isOpen
            }}
          >
            edit
          </button>
        </div>
      </div>
      {isOpen && (
        <textarea
          aria-label="Packet as text: hex, a dump, program text, base64"
          spellcheck={false}
          rows={6}
          ref={(area) => {
            if (area !== null && document.activeElement === document.body) area.focus()
          }}
          value={shownText(page)}
          onInput={(event) => openText(page, event.currentTarget.value)}
        />
      )}
      {under !== undefined && (
        <div class="opening">
          <label>
            {DOING[under.doing]} {under.name} <progress value={under.fraction} max={1} />
          </label>
          <span class="muted">{under.packets} packets</span>
          <button type="button" onClick={under.stop}>
            stop
          </button>
        </div>
      )}
      {opened.unread.length > 0 && (
        <ul class="unread">
          {opened.unread.map(({ severity, text, count, places: [place] }) => (
            <li key={`${text} ${place?.offset ?? ""}`} data-severity={severity}>
              <span class="sign" aria-hidden="true">
                {SEVERITY_SIGNS[severity]}
              </span>{" "}
              {severity}: {text}
              {count > 1 && ` (${count} times)`}
              {place !== undefined && ` — ${place.line === undefined ? `octet ${place.offset}` : `line ${place.line}`}`}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
