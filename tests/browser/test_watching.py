"""The tests of pages can tell a page that goes wrong."""

from browsers import watched


def test_errors_of_a_page_are_seen(browser):
    page = browser.new_page()
    wrong = watched(page)
    page.set_content("<script>console.error('first'); throw new Error('second')</script>")
    page.wait_for_timeout(50)
    assert wrong == ["first", "second"]
    page.close()
