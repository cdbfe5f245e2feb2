"""The program under faults: killed, full disks, foreign writers, odd clocks and odd feeds."""
