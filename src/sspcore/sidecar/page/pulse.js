// Updates per second of the last minute, as a line.

const SECONDS = 60;

export class Pulse {
  constructor(figure, label) {
    this.line = figure.querySelector(".line");
    this.area = figure.querySelector(".area");
    this.label = label;
    this.clear();
    setInterval(() => this.turn(), 1000);
  }

  clear() {
    this.counts = new Array(SECONDS).fill(0);
    this.now = 0;
    this.draw();
  }

  beat(changes = 1) { this.now += changes; }

  turn() {
    this.counts.push(this.now);
    this.counts.shift();
    this.now = 0;
    this.draw();
  }

  draw() {
    const top = Math.max(5, ...this.counts);
    const points = this.counts.map((value, at) => `${((at / (SECONDS - 1)) * 240).toFixed(1)} ${(42 - (value / top) * 38).toFixed(1)}`);
    const line = `M${points.join("L")}`;
    this.line.setAttribute("d", line);
    this.area.setAttribute("d", `${line}L240 44L0 44Z`);
    this.label.textContent = this.counts[SECONDS - 1];
  }
}
