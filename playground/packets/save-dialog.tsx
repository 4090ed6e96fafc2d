import { useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import type { Row } from "../model/capture/index.ts"
import { exportCaptureInSteps } from "../model/export/index.ts"
import type { OpenedPacket } from "../model/open/index.ts"
import { anonymiser } from "../model/share/index.ts"
import { AnonymousCheck } from "../shell/check.tsx"
import { inSlices } from "../shell/in-slices.ts"
import { Modal } from "../shell/modal.tsx"
import type { PageState } from "../shell/page-state.ts"
import { saveFile } from "../shell/save-file.ts"

interface SaveProps {
  readonly page: PageState
  /** Those that the filter lets through. */
  readonly rows: readonly Row[]
  readonly onClose: () => void
}

/** Several packets as a pcap file, with their edits; with other addresses and names where it is for others' eyes. */
export const SaveDialog = ({ page: { bench }, rows, onClose }: SaveProps) => {
  const { opened } = bench.work.value
  const total = opened.packets.length
  const isFiltered = rows.length < total
  const isAll = useSignal(!isFiltered)
  const isAnonymous = useSignal(false)
  /** From 0 to 1; `undefined`: nothing is being written. */
  const fraction = useSignal<number | undefined>(undefined)
  const isOpen = useRef(true)
  useEffect(
    () => () => {
      isOpen.current = false
    },
    [],
  )

  const packets = function* (): Generator<OpenedPacket> {
    const cloak = isAnonymous.value ? anonymiser(crypto.getRandomValues(new Uint8Array(32))).packet : undefined
    const indices = isAll.value ? opened.packets.keys() : rows.map(({ index }) => index)
    for (const index of indices) {
      const packet = bench.packetAt(index)
      yield cloak?.(packet) ?? packet
    }
  }
  const save = async (): Promise<void> => {
    const count = isAll.value ? total : rows.length
    const name = isAnonymous.value ? "anonymous.pcap" : "packets.pcap"
    fraction.value = 0
    const isWanted = (): boolean => isOpen.current && fraction.peek() !== undefined
    const pieces = await inSlices(exportCaptureInSteps(packets()), isWanted, (written) => {
      fraction.value = written / count
    })
    fraction.value = undefined
    if (pieces === undefined) return
    saveFile(name, pieces)
    bench.said.value = `${count} ${count === 1 ? "packet" : "packets"} saved`
    onClose()
  }
  return (
    <Modal title="Save packets" onClose={onClose}>
      <p>A pcap file with the packets as they are now, your edits among them.</p>
      {isFiltered && (
        <fieldset>
          <legend>which</legend>
          {[true, false].map((all) => (
            <label class="check" key={String(all)}>
              <input
                type="radio"
                name="which"
                checked={isAll.value === all}
                onChange={() => {
                  isAll.value = all
                }}
              />{" "}
              {all ? `all ${total}` : `the ${rows.length} that the filter shows`}
            </label>
          ))}
        </fieldset>
      )}
      <AnonymousCheck on={isAnonymous} />
      <p class="actions">
        <button type="button" class="main" disabled={fraction.value !== undefined} onClick={save}>
          save as pcap
        </button>
        {fraction.value !== undefined && (
          <>
            <progress aria-label="written" value={fraction.value} max={1} />
            <button
              type="button"
              onClick={() => {
                fraction.value = undefined
              }}
            >
              stop
            </button>
          </>
        )}
      </p>
    </Modal>
  )
}
