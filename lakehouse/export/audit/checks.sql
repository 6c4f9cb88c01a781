-- The sums of a period, one query each. A row is something that is wrong: its name, and what is wrong with it.
-- verify.py puts the period for $period, the columns of a group of usage lines for $group, and their equality for $same.

-- statement_arithmetic: opening + earned - deducted - recouped - reserved - taxed + converted = payable + carried - rounding
SELECT statement_id AS name, format('due {}, settled {}', due, settled) AS message FROM (
    SELECT statement_id, opening + earned - deducted - recouped - reserved - taxed + converted AS due,
        payable + carried - rounding AS settled FROM gold_statements) WHERE due <> settled;

-- balance_broken: A statement opens with what the statement before it carried, and a carried balance is not dropped
SELECT payee || ' in ' || currency AS name, format('carried before {}, opening {}', carried, opening) AS message FROM (
    SELECT currency, payee, coalesce(now.opening, 0) AS opening, coalesce(before.carried, 0) AS carried FROM gold_statements now
    FULL JOIN (SELECT currency, payee, arg_max(carried, period) AS carried FROM earlier_statements GROUP BY ALL) before
    USING (currency, payee)) WHERE opening <> carried;

-- earned_mismatch: What a payee's books call earned is the sum of the payable royalty lines, and the statement counts those lines
SELECT payee || ' in ' || currency AS name, format('stated on {} lines, found {} lines', stated, found) AS message FROM (
    SELECT currency, payee, coalesce(s.lines, 0) AS stated, coalesce(l.lines, 0) AS found,
        coalesce(b.amount, 0) AS booked, coalesce(l.amount, 0) AS amount FROM gold_statements s
    FULL JOIN (SELECT currency, payee, count(*) AS lines, sum(amount) AS amount FROM gold_royalty_lines
        WHERE category = 'payable' GROUP BY ALL) l USING (currency, payee)
    FULL JOIN (SELECT currency, substr(account, 21) AS payee, -sum(amount) AS amount FROM gold_ledger
        WHERE kind = 'earned' AND starts_with(account, 'liabilities:accrued:') GROUP BY ALL) b USING (currency, payee))
WHERE stated <> found OR booked <> amount;

-- ledger_unbalanced: The postings of a transaction add up to zero in each currency
SELECT transaction_id AS name, format('off by {} {}', sum(amount), currency) AS message FROM gold_ledger
GROUP BY transaction_id, currency HAVING sum(amount) <> 0;

-- conservation_broken: For each report and currency, revenue + adjusted = payable + retained + fees + tax + held + quarantined
SELECT file_id AS name, format('{} {} is not accounted for', missing, currency) AS message FROM (
    SELECT *, revenue + adjusted - payable - retained - fees - tax - held - quarantined AS missing FROM gold_conservation)
WHERE missing <> 0 OR difference <> 0;

-- adjustment_undecided: What is added to a hold, or taken from it, is what a person has decided
SELECT entry_id AS name, format('booked {}, decided {}', booked, decided) AS message FROM (
    SELECT entry_id, booked, coalesce(decided, 0) AS decided FROM (
        SELECT releases AS entry_id, sum(amount) AS booked FROM gold_holding WHERE entry = 'adjust' GROUP BY 1)
    LEFT JOIN (SELECT entry_id, sum(amount) AS decided FROM ops_holding_adjustments GROUP BY 1) USING (entry_id)) WHERE booked <> decided;

-- revenue_mismatch: The revenue that the books give a report is the sum of its lines, with those refused
WITH counted AS (
    SELECT file_id, currency, amount FROM silver_usage WHERE period = $period
    UNION ALL SELECT file_id, currency, amount FROM ops_quarantine
    WHERE period = $period AND amount IS NOT NULL AND currency IS NOT NULL
    AND record_id NOT IN (SELECT record_id FROM ops_releases))
SELECT file_id AS name, format('its lines bring {} {}, the books say {}', found, currency, stated) AS message FROM (
    SELECT c.file_id, c.currency, c.revenue AS stated, coalesce(sum(u.amount), 0) AS found FROM gold_conservation c
    JOIN bronze_files f ON f.file_id = c.file_id AND f.period = $period
    LEFT JOIN counted u ON u.file_id = c.file_id AND u.currency = c.currency GROUP BY ALL) WHERE stated <> found;

-- report_left_out: No report with usage is missing from the books, unless a later version of it is here
SELECT file_id AS name, format('{} lines of usage in {} are in no book', count(*), currency) AS message FROM silver_usage u
JOIN bronze_files f USING (file_id) WHERE u.period = $period AND NOT EXISTS (
    SELECT 1 FROM gold_conservation c WHERE c.file_id = u.file_id AND c.currency = u.currency)
AND NOT EXISTS (SELECT 1 FROM bronze_files later WHERE later.source = f.source AND later.report_key = f.report_key
    AND (later.report_version, later.received_at, later.file_id) > (f.report_version, f.received_at, f.file_id))
GROUP BY file_id, currency;

-- base_mismatch: The base of a royalty line is the sum of the usage lines of its group; lines held as duplicates stand apart
WITH grouped AS (
    SELECT $group, sum(amount) AS of_all, count(*) AS n_all,
        coalesce(sum(amount) FILTER (d.line_no IS NULL), 0) AS of_single, count(*) FILTER (d.line_no IS NULL) AS n_single
    FROM silver_usage u LEFT JOIN (SELECT DISTINCT file_id, line_no FROM silver_duplicates) d USING (file_id, line_no)
    GROUP BY ALL)
SELECT l.line_id AS name, format('its base is {} from {} lines; the reports say {} from {}', l.base, l.usage_lines,
    coalesce(g.of_all, 0), coalesce(g.n_all, 0)) AS message
FROM gold_royalty_lines l LEFT JOIN grouped g ON $same
WHERE (abs(l.base), l.usage_lines) NOT IN ((abs(g.of_all), g.n_all), (abs(g.of_single), g.n_single),
    (abs(g.of_all - g.of_single), g.n_all - g.n_single)) OR g.n_all IS NULL;

-- stages_broken: The stages of a royalty line lead from its base to its amount without a gap
SELECT line_id AS name, 'the amounts do not lead from its base to its amount' AS message FROM gold_royalty_lines
WHERE len(stages) > 0 AND (stages[1].amount_in <> base OR stages[-1].amount_out <> amount
    OR len(list_filter(range(2, len(stages) + 1), lambda i: stages[i].amount_in <> stages[i - 1].amount_out)) > 0);

-- line_missing: Every usage line is a line of a report
SELECT file_id || ' line ' || line_no AS name, 'a usage line without a line of the report' AS message FROM silver_usage
ANTI JOIN bronze_lines USING (file_id, line_no);
