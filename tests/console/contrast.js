// Every visible text whose contrast with the ground behind it is under 4.5 (WCAG 2.2, 1.4.3).
() => {
  const painter = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    painter.clearRect(0, 0, 1, 1);
    painter.fillStyle = color;
    painter.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = painter.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => {
    const part = (n) => top[n] * top[3] + under[n] * (1 - top[3]);
    return [part(0), part(1), part(2), 1];
  };
  const luminance = ([r, g, b]) => {
    const linear = [r, g, b].map((one) => {
      const share = one / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const ground = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      layers.push(rgba(getComputedStyle(one).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const isShown = (element) => element.checkVisibility() && element.getClientRects()[0].width > 1;
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.nodeValue.trim() || !isShown(element)) continue;
    const behind = ground(element);
    const text = luminance(over(rgba(getComputedStyle(element).color), behind));
    const [light, dark] = [text, luminance(behind)].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) found.push(`${node.nodeValue.trim()}: ${contrast.toFixed(2)}`);
  }
  if (!document.body.innerText.trim()) found.push("there is no text");
  return found;
}
