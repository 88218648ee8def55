"""What is read of a document of each type, and what is refused, with the mend in the message."""

import asyncio
import io
import subprocess
import sys
import zipfile
from datetime import date
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teller.errors import DocumentRejectedError, UnsupportedDocumentError
from teller.knowledge.converter import Converter
from teller.knowledge.loading import LoadedDocument, load
from teller.knowledge.markdown import Section
from tests.support.documents import archive_of, laid_out, pdf, protected, word, word_of, word_with


def text_of(document: LoadedDocument) -> str:
    return "\n".join(section.text for section in document.sections)


class TestMarkdown:
    def test_front_matter_says_title_collection_and_dates(self) -> None:
        document = load(
            "loans.md",
            b"---\ntitle: Personal loans\ncollection: loans\neffective: 2026-01-01\nexpires: '2026-12-31'\n"
            b"author: someone\n---\n\nYou can borrow up to $50,000.\n",
        )
        assert document == LoadedDocument(
            filename="loans.md",
            title="Personal loans",
            collection="loans",
            effective=date(2026, 1, 1),
            expires=date(2026, 12, 31),
            sections=(Section("", "You can borrow up to $50,000."),),
        )

    def test_headings_open_sections_that_name_the_headings_above_them(self) -> None:
        document = load(
            "fees.md",
            b"# Fees\n\nLead.\n\n## Cards\n\n### Gold card ###\n\n$95.\n\n### Travel\n\n$150.\n\n## ATM\n\nFree.",
        )
        assert document.title == "Fees"
        assert document.sections == (
            Section("", "Lead."),
            Section("Cards: Gold card", "$95."),
            Section("Cards: Travel", "$150."),
            Section("ATM", "Free."),
        )

    def test_a_heading_may_be_underlined(self) -> None:
        document = load("fees.md", b"Fees\n====\n\nLead.\n\nGold card\n---------\nThe fee is $5.\n\n### Abroad\n\n2%.")
        assert document.title == "Fees"
        assert document.sections == (
            Section("", "Lead."),
            Section("Gold card", "The fee is $5."),
            Section("Gold card: Abroad", "2%."),
        )

    @pytest.mark.parametrize(
        "text",
        [
            "| Card |\n|------|\n| Gold |",
            "Card | Fee\n-----|----\nGold | $5",
            "Before.\n\n---\n\nAfter.",
            "Before.\n\n---\n---\n\nAfter.",
            "- an item\n---\nAfter.",
            "The last line\nof a paragraph.\n---\nAfter.",
            "```\nFees\n----\n```",
            "```\n----\nFees\n```\n----",
            "> A quotation.\n---\nAfter.",
        ],
    )
    def test_not_every_line_of_hyphens_makes_a_heading(self, text: str) -> None:
        assert [section.heading for section in load("a.md", text.encode()).sections] == [""]

    def test_a_heading_with_nothing_under_it_is_not_lost(self) -> None:
        document = load("a.md", b"# Accounts\n\nText.\n\n## Coming soon\n")
        assert document.sections == (Section("", "Text."), Section("Coming soon", ""))

    def test_a_hash_in_a_code_block_is_no_heading(self) -> None:
        document = load("a.md", b"Run this:\n\n```\n# not a heading\n```\n")
        assert [section.heading for section in document.sections] == [""]
        assert "# not a heading" in document.sections[0].text

    def test_wrapped_prose_is_made_whole_and_meant_line_breaks_stay(self) -> None:
        document = load(
            "a.txt",
            b"A line that an editor wrapped because it had grown\nlong goes on here.\n\n12 Main St\nColumbus, Ohio\n",
        )
        assert text_of(document) == (
            "A line that an editor wrapped because it had grown long goes on here.\n\n12 Main St\nColumbus, Ohio"
        )

    def test_lists_stay_lists_and_tables_lose_only_their_padding(self) -> None:
        document = load(
            "a.md",
            b"- one item that is rather long, in fact longer than a line\n  may be\n- two\n\n"
            b"| Term      | Rate  |\n|:----------|------:|\n| 12 months | 7.49% |\n",
        )
        assert text_of(document) == (
            "- one item that is rather long, in fact longer than a line may be\n- two\n\n"
            "| Term | Rate |\n|-|-|\n| 12 months | 7.49% |"
        )

    def test_lines_of_windows_and_a_byte_order_mark_change_nothing(self) -> None:
        unix, windows = b"---\ntitle: T\n---\n# T\n\nText.", b"\xef\xbb\xbf---\r\ntitle: T\r\n---\r\n# T\r\n\r\nText."
        assert load("a.md", unix) == load("a.md", windows)

    @pytest.mark.parametrize(
        ("front_matter", "complaint"),
        [
            (b"effective: January", "effective date"),
            (b"expires: 2026-13-01", "expires date"),
            (b"effective: 2026-02-01\nexpires: 2026-01-01", "before it takes effect"),
            (b"title: [a, b]", "title"),
            (b"collection: ' '", "collection"),
            (b"title: 'never closed", "YAML"),
            (b"effective: [2026-01-01]", "effective date"),
            (b"effective: 31.12.2026", "effective date"),
        ],
    )
    def test_front_matter_that_says_nonsense_is_refused(self, front_matter: bytes, complaint: str) -> None:
        with pytest.raises(DocumentRejectedError, match=complaint):
            load("a.md", b"---\n" + front_matter + b"\n---\n\nText.")

    def test_a_title_with_a_colon_needs_no_quotes(self) -> None:
        document = load("a.md", b"---\ntitle: Savings: notice and rates\neffective: 2026-01-01\n---\n\nText.")
        assert (document.title, document.effective) == ("Savings: notice and rates", date(2026, 1, 1))

    @pytest.mark.parametrize(
        ("written", "title"),
        [
            ("Cards 💳: fees and limits", "Cards 💳: fees and limits"),
            (r'"\ud83d\ude00 Fees"', "😀 Fees"),  # as JSON tools write it
            (r'"\ud83d Fees"', "\ufffd Fees"),
        ],
    )
    def test_an_emoji_in_a_title_is_one_letter_however_it_is_written(self, written: str, title: str) -> None:
        assert load("a.md", f"---\ntitle: {written}\n---\nText.".encode()).title == title

    def test_rules_around_prose_are_no_front_matter(self) -> None:
        assert "Only a motto." in text_of(load("a.md", b"---\nOnly a motto.\n---\n\nText."))

    def test_without_any_title_the_file_name_gives_one(self) -> None:
        assert load("early-repayment.txt", b"Text.").title == "Early repayment"


class TestHtml:
    PAGE = b"""<!DOCTYPE html><html><head><title>Loans | Some Bank</title><style>p {}</style></head><body>
        <nav><a href="/">Home</a></nav><h1>Our <em>loans</em></h1>
        <p>A loan   is <b>money</b>
        lent.<br>Ask us.</p>
        <h2>What to bring</h2><ul><li><p>a photo ID</p><li>pay stubs<ol><li>the last<li>the one before</ol></ul>
        <table><tr><th>Term</th><th>Rate</th></tr><tr><td>12 <i>months</i></td><td>7.49%</td></tr></table>
        <script>alert(1)</script><footer>Member of something</footer></body></html>"""

    def test_headings_lists_and_tables_stay_what_they_are(self) -> None:
        document = load("page.html", self.PAGE)
        assert document.title == "Our loans"
        assert document.sections == (
            Section("", "A loan is money lent.\nAsk us."),
            Section(
                "What to bring",
                "- a photo ID\n- pay stubs\n  1. the last\n  2. the one before\n\n"
                "| Term | Rate |\n|-|-|\n| 12 months | 7.49% |",
            ),
        )

    def test_a_table_that_lays_out_the_page_is_read_as_text(self) -> None:
        page = b"<html><table><tr><td><h2>Fees</h2>None.</td><td>Also none.</td></tr></table></html>"
        assert load("a.html", page).sections == (Section("Fees", "None.\n\nAlso none."),)

    def test_the_encoding_a_page_declares_is_used(self) -> None:
        page = '<html><meta charset="iso-8859-1"><p>Café</p></html>'.encode("iso-8859-1")
        assert text_of(load("a.html", page)) == "Café"

    @pytest.mark.parametrize("label", ["iso-8859-1", "latin-1", "us-ascii", "windows-1252"])
    def test_latin_1_is_read_as_browsers_read_it_which_is_as_windows_1252(self, label: str) -> None:
        page = f"<html><meta charset={label}><p>“Café”: €5</p></html>".encode("windows-1252")
        assert text_of(load("a.html", page)) == "“Café”: €5"

    def test_a_page_is_known_by_its_content(self) -> None:
        assert load("page.txt", self.PAGE).sections == load("page.html", self.PAGE).sections

    def test_a_page_of_endlessly_nested_tags_is_refused_at_once(self) -> None:
        with pytest.raises(DocumentRejectedError, match="nested"):
            load("a.html", b"<html>" + b"<div>" * 20_000 + b"text")

    def test_columns_and_rows_may_have_headings_for_names(self) -> None:
        page = b"""<html><table><tr><th><h4>Account</h4></th><th><h4>Fee</h4></th></tr>
            <tr><th><h5>Classic</h5></th><td>$5</td></tr></table></html>"""
        assert load("a.html", page).sections == (Section("", "| Account | Fee |\n|-|-|\n| Classic | $5 |"),)

    def test_a_cell_that_covers_several_places_stands_in_each(self) -> None:
        page = b"""<html><table><tr><th>Card</th><th>Fee</th><th>Limit</th></tr>
            <tr><td rowspan="2">Gold</td><td>$95</td><td>$10,000</td></tr><tr><td colspan="2">on request</td></tr>
            <tr><td>Classic</td><td>none</td><td>$2,000</td></tr></table></html>"""
        assert text_of(load("a.html", page)).splitlines()[2:] == [
            "| Gold | $95 | $10,000 |",
            "| Gold | on request | on request |",
            "| Classic | none | $2,000 |",
        ]

    def test_a_row_of_one_cell_above_the_columns_names_is_no_header(self) -> None:
        page = b"""<html><table><tr><td colspan="2">Rates of May</td></tr>
            <tr><th>Term</th><th>Rate</th></tr><tr><td>1 year</td><td>7%</td></tr></table></html>"""
        assert text_of(load("a.html", page)) == "Rates of May\n\n| Term | Rate |\n|-|-|\n| 1 year | 7% |"

    def test_a_list_in_a_cell_leaves_the_table_a_table(self) -> None:
        page = b"""<html><table><tr><th>Card</th><th>Benefits</th></tr>
            <tr><td>Gold</td><td><ul><li>lounges</li><li>insurance</li></ul></td></tr></table></html>"""
        assert text_of(load("a.html", page)).splitlines()[2] == "| Gold | lounges insurance |"

    def test_a_table_whose_cells_claim_to_be_endless_is_read_at_once(self) -> None:
        rows = b"<tr><td colspan=60000 rowspan=60000>a</td></tr>" * 50
        assert len(text_of(load("a.html", b"<html><table>" + rows + b"</table></html>"))) < 50_000


class TestPdf:
    RATES: ClassVar = [
        (72, 700, 22, "Personal loans"),
        (72, 670, 11, "A loan has a rate that stays the same for the whole of its term."),
        (72, 640, 15, "Rates by term"),
        (72, 610, 11, "Term"), (220, 610, 11, "Rate"), (330, 610, 11, "Largest amount"),
        (72, 590, 11, "12 months"), (220, 590, 11, "7.49%"), (330, 590, 11, "$10,000"),
        (72, 570, 11, "24 months"), (220, 570, 11, "8.25%"), (330, 570, 11, "$25,000"),
        (72, 540, 15, "Paying back early"),
        (72, 510, 11, "There is no fee for paying back early, and you may do so in part"),
    ]  # fmt: skip
    NEXT: ClassVar = [(72, 700, 11, "or as a whole.")]

    def test_larger_letters_make_sections_and_words_under_each_other_a_table(self) -> None:
        document = load("loans.pdf", laid_out(self.RATES, self.NEXT))
        assert document.title == "Personal loans"
        assert document.sections == (
            Section("", "A loan has a rate that stays the same for the whole of its term."),
            Section(
                "Rates by term",
                "| Term | Rate | Largest amount |\n|-|-|-|\n| 12 months | 7.49% | $10,000 |\n"
                "| 24 months | 8.25% | $25,000 |",
            ),
            Section(
                "Paying back early",
                "There is no fee for paying back early, and you may do so in part or as a whole.",
            ),
        )

    def test_bookmarks_make_sections_where_all_letters_are_of_one_size(self) -> None:
        lines = [
            (72, 700, 11, "Fees"), (72, 680, 11, "There are none."),
            (72, 660, 11, "Limits"), (72, 640, 11, "You may borrow $50,000."),
        ]  # fmt: skip
        document = load("loans.pdf", laid_out(lines, bookmarks=("Fees", "Limits")))
        assert document.sections == (Section("Fees", "There are none."), Section("Limits", "You may borrow $50,000."))

    def test_two_columns_of_prose_are_no_table(self) -> None:
        columns = (
            (72, "The left column is of prose that has much to say,"),
            (340, "and so has the right one, as long."),
        )
        lines = [(x, 700 - 20 * row, 8, text) for x, text in columns for row in range(4)]
        assert "|" not in text_of(load("a.pdf", laid_out(lines)))

    def test_a_pdf_of_mostly_scanned_pages_is_not_taken_in_for_its_cover(self) -> None:
        with pytest.raises(DocumentRejectedError, match="3 of the PDF's 4 pages"):
            load("scan.pdf", pdf(["A cover."], [], [], []))

    def test_no_page_is_left_out_because_it_was_scanned(self) -> None:
        lines = ["The fee is $5."]
        with pytest.raises(DocumentRejectedError, match="1 of the PDF's 4 pages have no text, as scans do: run OCR"):
            load("fees.pdf", pdf(lines, [], lines, [], pictures=(1, 2)))

    def test_a_brochure_may_have_pictures_for_covers(self) -> None:
        document = load("cards.pdf", pdf([], ["The fee is $5."], ["It is charged in May."], [], pictures=(1, 4)))
        assert text_of(document) == "The fee is $5.\n\nIt is charged in May."

    def test_a_blank_page_and_a_logo_are_no_scans(self) -> None:
        document = load("fees.pdf", pdf(["The fee is $5."], [], pictures=(1,)))
        assert text_of(document) == "The fee is $5."

    def test_the_text_of_every_page_is_read(self) -> None:
        document = load(
            "rates.pdf", pdf(["The savings rate is 3.80%."], ["There is no minimum."], title="Savings rates")
        )
        assert document.title == "Savings rates"
        assert document.sections == (Section("", "The savings rate is 3.80%.\n\nThere is no minimum."),)

    def test_a_pdf_is_known_by_its_content(self) -> None:
        assert "3.80%" in text_of(load("rates.txt", pdf(["The savings rate is 3.80%."])))

    def test_the_name_stands_in_for_a_title_that_a_writer_made_up(self) -> None:
        assert load("rates.pdf", pdf(["Text."], title="Microsoft Word - draft3.docx")).title == "Rates"

    def test_a_scan_without_text_is_refused_with_what_to_do(self) -> None:
        with pytest.raises(DocumentRejectedError, match="OCR"):
            load("scan.pdf", pdf([], []))

    def test_a_password_is_named_as_the_cause(self) -> None:
        with pytest.raises(DocumentRejectedError, match="password"):
            load("secret.pdf", protected(pdf(["Text."])))

    def test_a_torn_file_is_refused(self) -> None:
        whole = pdf(["Text."])
        with pytest.raises(DocumentRejectedError, match="damaged"):
            load("torn.pdf", whole[: len(whole) // 3])


class TestWord:
    def test_headings_lists_and_tables_stay_what_they_are(self) -> None:
        document = load(
            "loans.docx",
            word(
                ("Title", "Loans"),
                ("Normal", "A loan is money lent."),
                ("Heading 1", "What to bring"),
                ("List Bullet", "a photo ID"),
                ("List Bullet", "pay stubs"),
                [["Term", "Rate"], ["12 months", "7.49%"]],
            ),
        )
        assert document.title == "Loans"
        assert document.sections == (
            Section("", "A loan is money lent."),
            Section("What to bring", "- a photo ID\n- pay stubs\n\n| Term | Rate |\n|-|-|\n| 12 months | 7.49% |"),
        )

    def test_what_a_content_control_or_a_tracked_insertion_holds_is_read(self) -> None:
        text = "<w:r><w:t>{}</w:t></w:r>"
        xml = (
            f"<w:sdt><w:sdtContent><w:p>{text.format('In a control.')}</w:p></w:sdtContent></w:sdt>"
            f"<w:p>{text.format('The fee is ')}<w:del><w:r><w:delText>$9</w:delText></w:r></w:del>"
            f"<w:ins>{text.format('$5')}</w:ins></w:p>"
        )
        assert text_of(load("a.docx", word_of(xml))) == "In a control.\n\nThe fee is $5"

    def test_merged_cells_keep_their_columns_and_tables_in_cells_their_text(self) -> None:
        cell = "<w:tc>{}<w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"
        wide = cell.format('<w:tcPr><w:gridSpan w:val="2"/></w:tcPr>', "on request")
        inner = f"<w:tc><w:tbl><w:tr>{cell.format('', 'within')}</w:tr></w:tbl><w:p/></w:tc>"
        rows = (
            "".join(cell.format("", name) for name in ("Card", "Fee", "Limit")),
            cell.format("", "Gold") + wide,
            cell.format("", "Classic") + inner + cell.format("", "$2,000"),
        )
        table = f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"
        assert text_of(load("a.docx", word_of(table))).splitlines()[2:] == [
            "| Gold | on request | on request |",
            "| Classic | within | $2,000 |",
        ]

    def test_the_properties_give_the_title_where_the_text_has_none(self) -> None:
        assert load("x.docx", word(("Normal", "Text."), title="Card terms")).title == "Card terms"

    def test_an_archive_that_unpacks_to_far_too_much_is_refused_unread(self) -> None:
        bomb = io.BytesIO()
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("word/document.xml", bytes(80_000_000))
        with pytest.raises(DocumentRejectedError, match="unpacks"):
            load("bomb.docx", bomb.getvalue())

    @pytest.mark.parametrize(
        ("filename", "part"),
        [
            ("rates.xlsx", "xl/workbook.xml"),
            ("talk.pptx", "ppt/presentation.xml"),
            ("fees.odt", "content.xml"),
            ("all.zip", "fees.md"),
            ("a.docx", "a.txt"),
        ],
    )
    async def test_another_archive_is_no_word_document(self, filename: str, part: str) -> None:
        async with Converter() as converter:
            with pytest.raises(UnsupportedDocumentError, match="send Markdown"):
                await asyncio.to_thread(load, filename, archive_of(part), converter.convert)

    @pytest.mark.parametrize(
        "kind",
        [
            "ms-word.document.macroEnabled.main",
            "ms-word.template.macroEnabledTemplate.main",
            "openxmlformats-officedocument.wordprocessingml.template.main",
        ],
    )
    def test_a_file_with_macros_or_a_template_is_to_be_saved_as_a_plain_one(self, kind: str) -> None:
        with zipfile.ZipFile(io.BytesIO(word(("Normal", "Text.")))) as plain:
            types = plain.read("[Content_Types].xml").decode()
        declared = types.replace("openxmlformats-officedocument.wordprocessingml.document.main", kind)
        with pytest.raises(DocumentRejectedError, match=r"save it as a plain \.docx"):
            load("a.docm", word_with({"[Content_Types].xml": declared}))


class TestRefusals:
    @pytest.mark.parametrize(
        ("filename", "data", "complaint"),
        [
            ("empty.md", b"", "empty"),
            ("blank.md", b" \n\t\n", "empty"),
            ("bare.md", b"---\ntitle: Only a title\n---\n", "no text"),
            ("latin.txt", "Café".encode("latin-1"), "UTF-8"),
            ("wide.txt", "text".encode("utf-16"), "UTF-8"),
            ("picture.png", b"\x89PNG\r\n\x1a\n\x00\x00", "send Markdown"),
            ("code.py", b"print()", "send Markdown"),
            ("zeros.txt", b"a\x00b", "no text"),
            ("renamed.pdf", b"plain words", "named .pdf"),
            ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as a plain .docx"),
            ("large.txt", b"word " * 2_000_001, "larger than 10 MB"),
            ("", b"text", "no name"),
            ("../..", b"text", "no name"),
            ("...", b"text", "no name"),
            ("\u202e", b"text", "no name"),
            ("picture.txt", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "no text"),
            ("page.html", b"<html><meta charset=hex>6162", "UTF-8"),
            ("page.html", b"<html><meta charset=iso-8859-1>no letter: \x81", "UTF-8"),
        ],
    )
    def test_a_file_that_cannot_be_taken_in_is_refused_with_the_cause(
        self, filename: str, data: bytes, complaint: str
    ) -> None:
        with pytest.raises(DocumentRejectedError, match=complaint):
            load(filename, data)

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("../../etc/loans.md", "loans.md"),
            ("C:\\bank\\loans.md", "loans.md"),
            ("loans\x00\n.md", "loans.md"),
            ("/etc/passwd/loans.md", "loans.md"),
            ("loans\u202efdp.md", "loansfdp.md"),
            ("\u2066\u200b loans.md", "loans.md"),
            ("....loans.md", "loans.md"),
            ("a" * 300 + ".md", "a" * 147 + ".md"),
        ],
    )
    def test_of_a_name_only_its_last_part_is_kept(self, given: str, kept: str) -> None:
        assert load(given, b"Text.").filename == kept


def test_nothing_of_the_parsers_is_imported_until_such_a_document_comes() -> None:
    code = (
        "import sys, teller.knowledge.ingest, teller.knowledge.embedded\n"
        "heavy = {'langchain_community', 'pypdf', 'docx', 'bs4', 'lxml'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@settings(max_examples=100, deadline=None)
@given(
    start=st.sampled_from([b"", b"%PDF-1.4\n", b"PK\x03\x04", b"<html>", b"---\n", b"# ", b"| a | b |\n|---|"]),
    data=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "ignore"))),
    suffix=st.sampled_from(["md", "txt", "html", "pdf", "docx", "exe"]),
)
def test_whatever_the_bytes_they_are_read_or_refused(start: bytes, data: bytes, suffix: str) -> None:
    try:
        document = load(f"a.{suffix}", start + data)
    except DocumentRejectedError:
        return
    assert any(section.text for section in document.sections)
