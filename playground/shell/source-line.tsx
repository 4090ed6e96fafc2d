import { useRef } from "preact/hooks"
import { toHexdump } from "../../core/wire/text/index.ts"
import { SEVERITY_SIGNS } from "../inspector/findings-view.tsx"
import { openFile, openText } from "./intake.ts"
import type { PageState } from "./page-state.ts"

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
        <p>
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
          value={page.sourceText.value ?? toHexdump(bench.packet.value.bytes)}
          onInput={(event) => openText(page, event.currentTarget.value)}
        />
      )}
      {under !== undefined && (
        <div class="opening">
          <label>
            reading {under.name} <progress value={under.fraction} max={1} />
          </label>
          <span>{under.packets} packets</span>
          <button type="button" onClick={under.cancel}>
            stop
          </button>
        </div>
      )}
      {opened.unread.length > 0 && (
        <ul class="unread">
          {opened.unread.map(({ severity, text, count, places: [place] }, i) => (
            <li key={i} data-severity={severity}>
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
