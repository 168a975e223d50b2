import { toString as qrText } from 'qrcode';

/**
 * The key URI as a QR code, for a page and for a terminal. Error correction M: a phone reads it off a screen, which loses nothing. The text is of
 * half blocks, dark on light, with the quiet zone of four modules that readers need (ISO/IEC 18004 section 6.3.8).
 */
export async function totpQrCode(uri: string): Promise<{ readonly qrSvg: string; readonly qrText: string }> {
  const options = { errorCorrectionLevel: 'M', margin: 4 } as const;
  const [svg, text] = await Promise.all([
    qrText(uri, { ...options, type: 'svg' }),
    qrText(uri, { ...options, type: 'utf8' }),
  ]);
  return { qrSvg: svg, qrText: text };
}
