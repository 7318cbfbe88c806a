"""A text that would run if it were ever taken as markup."""

EVIL = "<script>document.title = 'broken'</script><img src=x onerror=\"document.title = 'broken'\">"
