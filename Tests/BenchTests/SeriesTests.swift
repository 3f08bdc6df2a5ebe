// SPDX-License-Identifier: GPL-3.0-or-later
import Testing

@testable import Bench

struct SeriesTests {
    @Test(
        "The median is the middle value, and does not follow an outlier",
        arguments: [
            ([3, 1, 2], 2), ([1, 2, 3, 100], 2.5), ([5, 5, 5, 5, 900], 5), ([7], 7),
        ] as [([Double], Double)])
    func median(values: [Double], expected: Double) {
        #expect(Series(values).median == expected)
    }

    @Test("Without values there is neither a median nor a ratio")
    func empty() {
        #expect(Series([]).median == nil)
        #expect(Series([]).spread == nil)
        #expect(Series([]).ratio(to: Series([1])) == nil)
        #expect(Series([1]).ratio(to: Series([])) == nil)
        #expect(Series([1]).ratio(to: Series([0])) == nil)
    }

    @Test("A figure reaches its target up to the limit, and misses it beyond")
    func targets() {
        func figure(_ ours: [Double], _ reference: [Double]?, _ target: Target?) -> Bool? {
            Figure("x", .seconds, ours: Series(ours), reference: reference.map { Series($0) }, target: target).isReached
        }
        #expect(figure([2], [10], .ratio(0.2)) == true)
        #expect(figure([2.01], [10], .ratio(0.2)) == false)
        #expect(figure([300], nil, .value(300)) == true)
        #expect(figure([301], nil, .value(300)) == false)
        #expect(figure([1], [2], nil) == nil)
    }

    @Test("A figure that was not measured is not reached")
    func unmeasured() {
        #expect(Figure("x", .seconds, ours: Series([]), target: .value(10)).isReached == false)
        #expect(Figure("x", .seconds, ours: Series([1]), target: .ratio(0.5)).isReached == false)
    }
}

struct BisectionTests {
    @Test(
        "The least memory that is enough is found, wherever it lies",
        arguments: Array(stride(from: 112, through: 512, by: 16))
    )
    func finds(least: Int) {
        var bisection = Bisection(least: 96, most: 512)
        var tries = 0
        while let next = bisection.next {
            bisection.answer(next >= least)
            tries += 1
            #expect(tries <= 8)
        }
        #expect(bisection.result == least)
    }

    @Test("When nothing is enough there is no result")
    func nothing() {
        var bisection = Bisection(least: 96, most: 512)
        while bisection.next != nil { bisection.answer(false) }
        #expect(bisection.result == nil)
    }
}

struct StartReadingTests {
    @Test("The guest's answer is two numbers, and nothing else is taken for one")
    func reading() {
        #expect(Start.Reading("1.500\n22.25\n")?.random == 1.5)
        #expect(Start.Reading("1.500\n22.25\n")?.sequential == 22.25)
        #expect(Start.Reading("1.5") == nil)
        #expect(Start.Reading("Can't locate file") == nil)
    }

    @Test("The phases come from the boot stage's own report, in their order")
    func phases() {
        let json = #"{"version": "1", "toram": false, "phases": {"verity": 5.1, "start": 2.8, "medium": 2.8}}"#
        #expect(Start.Phases(json).names == ["medium", "start", "verity"])
        #expect(Start.Phases(json).seconds["verity"] == 5.1)
        #expect(Start.Phases("cat: /run/needletail/boot.json: No such file or directory").names.isEmpty)
    }

    @Test("The machine is named by its processor, its cores and its memory")
    func machine() {
        let processors = "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\n\nprocessor\t: 1\nmodel name\t: A CPU @ 2 GHz\n"
        #expect(
            Setting.machine(processors: processors, memory: "MemTotal:       16777216 kB\n")
                == "A CPU @ 2 GHz, 2 cores, 16 GiB")
        #expect(Setting.machine(processors: "", memory: "") == "unknown processor, 0 cores, 0 GiB")
    }
}
