import { useSignal } from "@preact/signals"
import { useRef } from "preact/hooks"
import { EXPORTS, type ExportFormat, exportPacket } from "../model/export/index.ts"
import { copyText } from "../shell/copy.ts"
import { saveFile } from "../shell/save-file.ts"
import type { Workbench } from "./workbench.ts"

/** The packet as something else: text is copied and shown, a pcap file is saved. */
export const ExportMenu = ({ bench }: { readonly bench: Workbench }) => {
  const isOpen = useSignal(false)
  const shown = useSignal<{ readonly name: string; readonly text: string } | undefined>(undefined)
  const button = useRef<HTMLButtonElement>(null)
  const close = (): void => {
    isOpen.value = false
    shown.value = undefined
    button.current?.focus()
  }
  const take = async (format: ExportFormat, name: string, extension: string): Promise<void> => {
    const exported = exportPacket(bench.packet.value, format, answerOf(bench))
    if (!exported.ok) {
      bench.said.value = exported.text
      return
    }
    const { content, note } = exported
    if (typeof content !== "string") {
      saveFile(`packet.${extension}`, [content])
      bench.said.value = `${name} saved`
      return
    }
    shown.value = { name, text: content }
    const isCopied = await copyText(content)
    bench.said.value = `${name} ${isCopied ? "copied" : "shown: the browser let nothing be copied"}${note === undefined ? "" : `; ${note}`}`
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes the menu from any of its buttons
    <span
      class="menu-place"
      onKeyDown={(event) => {
        if (event.key === "Escape" && isOpen.value) close()
      }}
    >
      <button
        ref={button}
        type="button"
        aria-expanded={isOpen.value}
        onClick={() => {
          isOpen.value = !isOpen.value
          shown.value = undefined
        }}
      >
        export ▾
      </button>
      {isOpen.value && (
        <div class="menu">
          <ul aria-label="Export as">
            {EXPORTS.map(({ format, name, extension }) => (
              <li key={format}>
                <button type="button" onClick={() => take(format, name, extension)}>
                  {name}
                </button>
              </li>
            ))}
          </ul>
          {shown.value !== undefined && (
            <textarea readOnly rows={8} aria-label={shown.value.name} value={shown.value.text} />
          )}
          <button type="button" onClick={close}>
            close
          </button>
        </div>
      )}
    </span>
  )
}

/** The first answer to a request of a capture: a test vector has both. */
const answerOf = ({ work, packetIndex, packetAt }: Workbench): Uint8Array | undefined => {
  const { capture } = work.value
  const row = capture?.rows[packetIndex.value]
  const answer = row?.part === "request" ? capture?.exchanges[row.exchange]?.answers[0] : undefined
  return answer === undefined ? undefined : packetAt(answer).bytes
}
