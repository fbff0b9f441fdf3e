"""Databento: forms of prices, fillers, feeds, numbers of contracts by the day; and its binary files."""

from __future__ import annotations

import datetime as dt
import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from vendor_files import databento
from vendor_files.board import board, osi

from volskew.errors import InputError, NotAChainError
from volskew.quotes import describe, read_chain, read_file

UNDEFINED = str(2**63 - 1)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Pretty with symbols, raw without, and definitions."""
    pretty, raw, definitions = databento.write(board(), tmp_path)
    return pretty, raw, definitions


def table_of(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


class TestPrices:
    def test_whole_numbers_are_1e_minus_9_dollars(self, files: tuple[Path, Path, Path]) -> None:
        """The undefined price is no quote, and the bid of nobody is 0."""
        assert UNDEFINED in files[1].read_text("utf-8")
        pretty, raw = (read_chain(path) for path in files[:2])
        for column in ("bid", "ask", "last"):
            np.testing.assert_array_equal(pretty[column], raw[column], err_msg=column)
        assert (pretty["bid"] == 0).sum() == (board()["bid"] == 0).sum()

    def test_whole_dollars_without_decimals_are_refused(self, files: tuple[Path, Path, Path]) -> None:
        table = table_of(files[0])
        table[["bid_px_00", "ask_px_00"]] = "6", "7"
        table.to_csv(files[0], index=False)
        with pytest.raises(InputError, match=r"'bid_px_00': prices are written as whole numbers.*: 6\.0"):
            read_chain(files[0])

    def test_a_file_of_both_forms_is_refused(self, files: tuple[Path, Path, Path]) -> None:
        pretty, raw = table_of(files[0]), table_of(files[1])
        mixed = pd.concat([pretty, raw.assign(symbol=pretty["symbol"])])
        mixed.to_csv(files[0], index=False)
        with pytest.raises(InputError, match=r"implausible") as caught:
            read_chain(files[0])
        assert caught.value.code == "BAD_UNITS"

    def test_undefined_numbers_are_missing(self, files: tuple[Path, Path, Path]) -> None:
        table = table_of(files[1])
        table.loc[0, ["bid_px_00", "bid_sz_00"]] = UNDEFINED, str(2**32 - 1)
        table.to_csv(files[1], index=False)
        (reading,) = read_file(files[1])
        assert reading.entries == []
        assert reading.quotes[["bid", "bid_size"]].iloc[0].isna().all()

    def test_the_price_of_an_order_is_no_last_trade(self, files: tuple[Path, Path, Path]) -> None:
        table = table_of(files[0])
        table.assign(action="A", ts_in_delta="0").to_csv(files[0], index=False)
        quotes = read_chain(files[0])
        assert quotes["last"].isna().all()
        assert quotes["trade_time"].isna().all()


class TestLines:
    def test_quiet_contracts_keep_their_last_line(self, files: tuple[Path, Path, Path]) -> None:
        table = table_of(files[0])
        earlier = table.assign(ts_recv="2024-01-03T15:00:00.000000000Z", bid_px_00="0.010000000")
        busy = table.iloc[:4]
        pd.concat([earlier, busy]).to_csv(files[0], index=False)
        (reading,) = read_file(files[0])
        assert reading.lines_read == len(table) + 4
        assert [(entry.code, entry.count) for entry in reading.entries] == [("OTHER_TICKS", 4)]
        assert len(reading.quotes) == len(table)
        assert (reading.quotes["bid"] == 0.01).sum() == len(table) - 4

    def test_several_sessions_in_one_file(self, files: tuple[Path, Path, Path]) -> None:
        table = table_of(files[0])
        tomorrow = table.assign(ts_recv="2024-01-04T21:00:00.000000000Z", ts_event="")
        pd.concat([table, tomorrow]).to_csv(files[0], index=False)
        (reading,) = read_file(files[0])
        assert [snapshot.session for snapshot in reading.snapshots] == [
            dt.date(2024, 1, 3),
            dt.date(2024, 1, 4),
        ]


class TestFeeds:
    def test_one_exchange_is_said_to_be_one(self, files: tuple[Path, Path, Path]) -> None:
        table_of(files[0]).assign(publisher_id="22").to_csv(files[0], index=False)
        (reading,) = read_file(files[0])
        assert [(e.code, e.count, e.detail) for e in reading.entries] == [
            ("ONE_VENUE", len(board()), "quotes of publisher 22 alone")
        ]
        assert len(read_chain(files[0])) == len(board())

    @pytest.mark.parametrize("size", [None, 1200])
    def test_a_mixture_is_refused_in_one_piece_or_in_several(
        self, files: tuple[Path, Path, Path], size: int | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table = table_of(files[0])
        table.loc[15:, "publisher_id"] = "22"
        table.to_csv(files[0], index=False)
        if size:
            monkeypatch.setattr("volskew.quotes.ticks._PIECE", size)
        with pytest.raises(InputError, match=r"several feeds.*22.*consolidated best bid and offer"):
            read_chain(files[0])


class TestNumbers:
    def test_no_definitions_beside_are_asked_for(self, files: tuple[Path, Path, Path]) -> None:
        files[2].unlink()
        with pytest.raises(InputError, match=r"no definitions lie beside.*map_symbols=True"):
            read_chain(files[1])

    def test_numbers_are_of_their_day(self, files: tuple[Path, Path, Path]) -> None:
        table = table_of(files[2])
        table["ts_recv"] = "2024-01-04T10:30:00.000000000Z"
        table.to_csv(files[2], index=False)
        with pytest.raises(InputError, match=r"none of the numbers .* of its day \(2024-01-03\)"):
            read_chain(files[1])

    def test_a_number_that_is_given_anew_means_another_contract(self, files: tuple[Path, Path, Path]) -> None:
        quotes, definitions = table_of(files[1]), table_of(files[2])
        tomorrow = quotes.assign(ts_recv=str(1704402000 * 10**9), ts_event="")  # 2024-01-04 21:00 UTC
        anew = definitions.assign(ts_recv="2024-01-04T10:30:00.000000000Z")
        for column in ("raw_symbol", "instrument_class", "strike_price", "symbol"):
            anew[column] = anew[column].to_numpy()[::-1]
        anew["expiration"] = anew["expiration"].to_numpy()[::-1]
        pd.concat([quotes, tomorrow]).to_csv(files[1], index=False)
        pd.concat([definitions, anew]).to_csv(files[2], index=False)
        found = read_chain(files[1])
        half = len(quotes)
        assert found["strike"][:half].tolist() == board()["strike"].tolist()
        assert found["strike"][half:].tolist() == board()["strike"].tolist()[::-1]

    def test_a_missing_definition_is_counted(self, files: tuple[Path, Path, Path]) -> None:
        table_of(files[2]).iloc[1:].to_csv(files[2], index=False)
        (reading,) = read_file(files[1])
        assert len(reading.quotes) == len(board())
        assert reading.quotes["strike"].isna().sum() == 1
        assert [(e.code, e.count) for e in reading.entries] == [("BAD_CELLS", 1)]
        assert "instrument_id, 1001 first" in reading.entries[0].detail

    def test_expirations_at_midnight_utc_are_dates(self, files: tuple[Path, Path, Path]) -> None:
        """In New York it is the evening before; the symbols have the same date, so nothing contradicts."""
        (reading,) = read_file(files[1])
        assert reading.entries == []
        first = reading.quotes["expiry"].dt.tz_convert("America/New_York").dt.strftime("%Y-%m-%d %H:%M")
        assert first[0] == "2024-01-19 16:00"

    def test_other_instruments_and_deleted_ones_define_nothing(self, files: tuple[Path, Path, Path]) -> None:
        table = table_of(files[2])
        stock = table.assign(raw_symbol="QQQ", instrument_class="K")
        deleted = table.assign(
            raw_symbol=table["raw_symbol"].str.replace("QQQ ", "SPY "), security_update_action="D"
        )
        pd.concat([table, stock, deleted]).to_csv(files[2], index=False)
        assert set(read_chain(files[1])["symbol"]) == {"QQQ"}

    def test_definitions_are_no_chain(self, files: tuple[Path, Path, Path]) -> None:
        with pytest.raises(NotAChainError, match=r"no quotes.*files of quotes of the same days"):
            read_chain(files[2])


class TestBinary:
    def test_without_the_decoder_the_extra_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "a.dbn"
        path.write_bytes(b"DBN\x03rest")
        monkeypatch.setitem(sys.modules, "databento", None)
        with pytest.raises(InputError, match=r"needs its vendor's decoder.*volskew\[databento\]"):
            read_chain(path)
        assert describe(path).format == "databento_dbn"

    def test_inside_zstd_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "a.dbn.zst"
        path.write_bytes(pa.compress(b"DBN\x03rest", codec="zstd", asbytes=True))
        monkeypatch.setitem(sys.modules, "databento", None)
        with pytest.raises(InputError, match=r"volskew\[databento\]"):
            read_chain(path)


@pytest.mark.skipif(
    importlib.util.find_spec("databento") is None, reason="the extra databento is not installed"
)
class TestDecoded:
    """With the vendor's own encoder and decoder."""

    def metadata(self, schema: str, *, mapped: bool = False) -> bytes:
        from databento_dbn import Metadata, Schema, SType

        lines = board()
        span = {"start_date": dt.date(2024, 1, 3), "end_date": dt.date(2024, 1, 4)}
        mappings = [
            SimpleNamespace(raw_symbol=symbol, intervals=[SimpleNamespace(**span, symbol=str(1001 + number))])
            for number, symbol in enumerate(osi(lines, padded=True))
        ]
        kind: Any = Schema.from_str(schema)
        return bytes(
            Metadata(
                dataset="OPRA.PILLAR", start=0, stype_in=SType.RAW_SYMBOL, stype_out=SType.INSTRUMENT_ID,
                schema=kind, symbols=[], partial=[], not_found=[], mappings=mappings if mapped else [],
            ).encode()
        )  # fmt: skip

    def quotes(self) -> bytes:
        from databento_dbn import CBBOMsg, ConsolidatedBidAskPair, Side

        close = pd.Timestamp("2024-01-03 21:00", tz="UTC").as_unit("ns").value
        found = b""
        for number, line in enumerate(board().to_dict("records")):
            bid = round(line["bid"] * 1e9) if line["bid"] > 0 else 2**63 - 1
            levels = ConsolidatedBidAskPair(
                bid_px=bid, ask_px=round(line["ask"] * 1e9), bid_sz=int(line["bid_size"]),
                ask_sz=int(line["ask_size"]), bid_pb=22, ask_pb=30,
            )  # fmt: skip
            traded = line["last"] == line["last"]
            price = round(line["last"] * 1e9) if traded else 2**63 - 1
            found += bytes(
                CBBOMsg(
                    rtype=193, publisher_id=30, instrument_id=1001 + number, price=price, size=1,
                    side=Side.NONE,
                    ts_event=close - 10**9 if traded else 2**64 - 1, ts_recv=close, levels=levels,
                )
            )  # fmt: skip
        return found

    def definitions(self) -> bytes:
        from databento_dbn import InstrumentClass, InstrumentDefMsg, SecurityUpdateAction

        morning = pd.Timestamp("2024-01-03 10:30", tz="UTC").as_unit("ns").value
        lines = board()
        return b"".join(
            bytes(
                InstrumentDefMsg(
                    publisher_id=30, instrument_id=1001 + number, ts_event=morning, ts_recv=morning,
                    min_price_increment=1, display_factor=1000, raw_symbol=symbol, asset="",
                    security_type="OPT",
                    instrument_class=InstrumentClass.CALL if line["is_call"] else InstrumentClass.PUT,
                    security_update_action=SecurityUpdateAction.ADD,
                    expiration=line["expiry"].tz_localize("UTC").as_unit("ns").value,
                    strike_price=round(line["strike"] * 1e9),
                )
            )
            for number, (line, symbol) in enumerate(
                zip(lines.to_dict("records"), osi(lines, padded=True), strict=True)
            )
        )  # fmt: skip

    def same_as_csv(self, path: Path, tmp_path: Path) -> None:
        folder = tmp_path / "csv"
        folder.mkdir()
        wanted = read_chain(databento.write(board(), folder)[0])
        (reading,) = read_file(path)
        assert reading.format == "databento_dbn"
        assert reading.lines_read == len(wanted)
        assert reading.entries == []
        columns = [name for name in wanted.columns if name not in {"source_file", "source_row", "trade_time"}]
        pd.testing.assert_frame_equal(reading.quotes[columns], wanted[columns])

    def test_with_its_own_mappings(self, tmp_path: Path) -> None:
        path = tmp_path / "a.dbn"
        path.write_bytes(self.metadata("cbbo-1s", mapped=True) + self.quotes())
        self.same_as_csv(path, tmp_path)

    def test_with_binary_definitions_beside_it_and_zstd_around(self, tmp_path: Path) -> None:
        path = tmp_path / "a.dbn.zst"
        data = self.metadata("cbbo-1s") + self.quotes()
        path.write_bytes(pa.compress(data, codec="zstd", asbytes=True))
        (tmp_path / "definition.dbn").write_bytes(self.metadata("definition") + self.definitions())
        self.same_as_csv(path, tmp_path)

    def test_with_csv_definitions_beside_it(self, tmp_path: Path) -> None:
        path = tmp_path / "a.dbn"
        path.write_bytes(self.metadata("cbbo-1s") + self.quotes())
        databento.definition(board()).to_csv(tmp_path / "definition.csv", index=False)
        self.same_as_csv(path, tmp_path)

    def test_definitions_are_no_chain(self, tmp_path: Path) -> None:
        path = tmp_path / "definition.dbn"
        path.write_bytes(self.metadata("definition") + self.definitions())
        with pytest.raises(NotAChainError, match="no quotes"):
            read_chain(path)

    @pytest.mark.parametrize("left", [4, 100, -40])
    def test_cut_files_are_refused(self, tmp_path: Path, left: int) -> None:
        path = tmp_path / "a.dbn"
        path.write_bytes((self.metadata("cbbo-1s", mapped=True) + self.quotes())[:left])
        with pytest.raises(InputError, match="truncated or damaged DBN"):
            read_chain(path)
